#pragma once
// In place of React Native's header of this name, which only adds Bridging<folly::dynamic>: nothing of ours uses it, and
// Debian has no folly. Nothing else is replaced.
