// What React Native knows of the device.

import { Platform as Device } from 'react-native';

import { Platform } from '../../js/src/events.gen.js';

/** What the device counts as. */
export function platform(): Platform {
  switch (Device.OS as string) {
    case 'ios':
      return Device.OS === 'ios' && Device.isPad ? Platform.IPad : Platform.IOS;
    case 'android':
      return Platform.Android;
    case 'macos':
      return Platform.Mac;
    case 'windows':
      return Platform.Windows;
    default:
      return Platform.Linux;
  }
}

/** What a person calls such a device: its model. Its own name is the user's secret on today's phones. */
export function label(): string {
  if (Device.OS === 'android') {
    const { Brand, Model } = Device.constants;
    return upTo64Bytes(Model.startsWith(Brand) ? Model : `${Brand} ${Model}`);
  }
  return Device.OS === 'ios' ? (Device.isPad ? 'iPad' : 'iPhone') : Device.OS;
}

function upTo64Bytes(name: string): string {
  let cut = name;
  while (encodeURIComponent(cut).replace(/%../g, '.').length > 64)
    cut = Array.from(cut).slice(0, -1).join('');
  return cut;
}
