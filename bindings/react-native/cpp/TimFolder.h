#pragma once

#include <string>

namespace facebook::react {

// Returns the folder in which this app keeps what lasts and is left out of backups, so that a phone that was set up from
// another one's backup is not taken for it. "" where there is none.
std::string timFolder();

// The folder of an Android app, by its uid and the name of its process. "" if it has none.
std::string timAndroidFolder(unsigned uid, const std::string &process,
                             const std::string &root = "/data/user");

} // namespace facebook::react
