#include "TimFolder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#if defined(__APPLE__)
#  include <CoreFoundation/CoreFoundation.h>

#  include <cstdlib>
#endif

namespace facebook::react {

// A process is called by its app's package, perhaps with a colon and a name of its own. Each user of the phone has 100,000 uids.
std::string timAndroidFolder(unsigned uid, const std::string &process, const std::string &root) {
  std::string app =
      root + "/" + std::to_string(uid / 100000) + "/" + process.substr(0, process.find(':'));
  struct stat found {};
  if (stat(app.c_str(), &found) != 0 || found.st_uid != uid) return "";
  return app + "/no_backup/tim"; // Android leaves no_backup out of backups
}

#if defined(__ANDROID__)

std::string timFolder() {
  std::string process;
  std::ifstream cmdline("/proc/self/cmdline");
  std::getline(cmdline, process, '\0');
  return timAndroidFolder(getuid(), process);
}

#elif defined(__APPLE__)

std::string timFolder() {
  const char *home = std::getenv("HOME"); // the app's own container
  if (home == nullptr) return "";
  std::string support = std::string(home) + "/Library/Application Support",
              folder = support + "/tim";
  mkdir(support.c_str(), 0700); // a new app has none; it may be there, too
  mkdir(folder.c_str(), 0700);
  CFURLRef url = CFURLCreateFromFileSystemRepresentation(
      nullptr, reinterpret_cast<const UInt8 *>(folder.data()), static_cast<CFIndex>(folder.size()),
      true);
  if (url == nullptr) return "";
  CFURLSetResourcePropertyForKey(url, kCFURLIsExcludedFromBackupKey, kCFBooleanTrue, nullptr);
  CFRelease(url);
  return folder;
}

#else

std::string timFolder() { return ""; }

#endif

} // namespace facebook::react
