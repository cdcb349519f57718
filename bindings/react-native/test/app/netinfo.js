// Stands for @react-native-community/netinfo: a test changes the network.
let listener = () => {};
globalThis.netInfo = { change: (state) => listener(state) };
export default {
  addEventListener(added) {
    listener = added;
    return () => {};
  },
};
