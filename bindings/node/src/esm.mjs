export * from './index.js';
export { TencentCloudChat as default } from './index.js';
