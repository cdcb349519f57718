// Stands for react-native where no native module is.
export const AppState = { addEventListener() {} };
export const Platform = { OS: 'android', constants: { Brand: 'Fairphone', Model: 'FP5' } };
export const TurboModuleRegistry = { get: () => null };
