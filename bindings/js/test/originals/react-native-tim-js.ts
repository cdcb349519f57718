// The names of the methods of react-native-tim-js 0.1.10, from its public documentation: the package is not on npm any more.

/** Those of V2TIMManager. */
export const manager = words(`
  initSDK unInitSDK login logout getLoginUser getLoginStatus getServerTime getVersion callExperimentalAPI setAPNSListener
  sendC2CTextMessage sendC2CCustomMessage sendGroupTextMessage sendGroupCustomMessage
  createGroup joinGroup quitGroup dismissGroup getUsersInfo setSelfInfo
  setSelfStatus getUserStatus subscribeUserStatus unsubscribeUserStatus
  addSimpleMsgListener removeSimpleMsgListener addGroupListener removeGroupListener
  getFriendshipManager getGroupManager getMessageManager getConversationManager getOfflinePushManager getSignalingManager`);

/** Those of each manager that it returns. */
export const managers = {
  getFriendshipManager: words(`
    addFriendListener removeFriendListener getFriendList getFriendsInfo setFriendInfo addFriend deleteFromFriendList checkFriend
    getFriendApplicationList acceptFriendApplication refuseFriendApplication deleteFriendApplication setFriendApplicationRead
    getBlackList addToBlackList deleteFromBlackList createFriendGroup getFriendGroups deleteFriendGroup renameFriendGroup
    addFriendsToFriendGroup deleteFriendsFromFriendGroup searchFriends`),
  getGroupManager: words(`
    createGroup getJoinedGroupList getGroupsInfo setGroupInfo searchGroups initGroupAttributes setGroupAttributes
    deleteGroupAttributes getGroupAttributes getGroupOnlineMemberCount getGroupMemberList getGroupMembersInfo
    searchGroupMembers setGroupMemberInfo muteGroupMember inviteUserToGroup kickGroupMember setGroupMemberRole
    transferGroupOwner getGroupApplicationList acceptGroupApplication refuseGroupApplication setGroupApplicationRead
    getJoinedCommunityList createTopicInCommunity deleteTopicFromCommunity setTopicInfo getTopicInfoList`),
  getMessageManager: words(`
    addAdvancedMsgListener removeAdvancedMsgListener createTextMessage createTextAtMessage createCustomMessage
    createImageMessage createSoundMessage createVideoMessage createFileMessage createFaceMessage createLocationMessage
    createMergerMessage createForwardMessage createTargetedGroupMessage downloadMergerMessage appendMessage sendMessage
    sendReplyMessage reSendMessage revokeMessage modifyMessage setLocalCustomData setLocalCustomInt
    setC2CReceiveMessageOpt getC2CReceiveMessageOpt setGroupReceiveMessageOpt getC2CHistoryMessageList
    getGroupHistoryMessageList getHistoryMessageList markC2CMessageAsRead markGroupMessageAsRead markAllMessageAsRead
    deleteMessageFromLocalStorage deleteMessages clearC2CHistoryMessage clearGroupHistoryMessage
    insertC2CMessageToLocalStorage insertGroupMessageToLocalStorage searchLocalMessages sendMessageReadReceipts
    getMessageReadReceipts getGroupMessageReadMemberList findMessages setMessageExtensions getMessageExtensions
    deleteMessageExtensions downloadMessage getMessageOnlineUrl`),
  getConversationManager: words(`
    addConversationListener removeConversationListener getConversation getConversationList
    getConversationListByConversaionIds getConversationListByFilter pinConversation deleteConversation
    setConversationDraft setConversationCustomData markConversation getTotalUnreadMessageCount createConversationGroup
    getConversationGroupList deleteConversationGroup renameConversationGroup addConversationsToGroup
    deleteConversationsFromGroup`),
  getOfflinePushManager: words('setOfflinePushConfig doBackground doForeground'),
  getSignalingManager: words(`
    addSignalingListener removeSignalingListener invite inviteInGroup cancel accept reject getSignalingInfo
    addInvitedSignaling`),
};

function words(list: string): string[] {
  return list.trim().split(/\s+/);
}
