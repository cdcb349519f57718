// Where an Android app keeps its identity, by what its process is called.
#include "TimFolder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using facebook::react::timAndroidFolder;

static int failed;

static void equal(const std::string &got, const std::string &want, const char *what) {
  if (got == want) return;
  std::printf("%s: got \"%s\", want \"%s\"\n", what, got.c_str(), want.c_str());
  failed = 1;
}

int main() {
  char made[] = "/tmp/tim-folder-XXXXXX";
  if (mkdtemp(made) == nullptr) return 1;
  std::string root = made, user = root + "/" + std::to_string(getuid() / 100000),
              app = user + "/com.example.app";
  mkdir(user.c_str(), 0700);
  mkdir(app.c_str(), 0700);
  std::string folder = app + "/no_backup/tim";
  equal(timAndroidFolder(getuid(), "com.example.app", root), folder, "an app");
  equal(timAndroidFolder(getuid(), "com.example.app:push", root), folder,
        "a process beside the app's first");
  equal(timAndroidFolder(getuid(), "another.name", root), "", "a process that is called otherwise");
  equal(timAndroidFolder(getuid() + 1, "com.example.app", root), "", "an app of somebody else's");
  equal(timAndroidFolder(getuid() + 1000000, "com.example.app", root), "",
        "another user of the phone");
  for (const std::string &gone : {app, user, root}) rmdir(gone.c_str());
  return failed;
}
