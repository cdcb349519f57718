"""imports.py LLVM MANIFEST ARCHIVE: what the archive imports is in the frameworks that the podspec names, and the privacy
manifest gives a reason for each kind of function of which Apple wants one."""
import plistlib
import re
import subprocess
import sys

llvm, manifest, archive = sys.argv[1:]

# https://developer.apple.com/documentation/bundleresources/describing-use-of-required-reason-api, as far as it is C.
REASON_FOR = {
    "FileTimestamp": "getattrlist getattrlistbulk fgetattrlist getattrlistat stat fstat fstatat lstat",
    "SystemBootTime": "mach_absolute_time",
    "DiskSpace": "statfs statvfs fstatfs fstatvfs getattrlist fgetattrlist getattrlistat",
    "UserDefaults": "OBJC_CLASS_$_NSUserDefaults",
    "ActiveKeyboards": "OBJC_CLASS_$_UITextInputMode",
}
# Prefixes of what libSystem does not have.
ELSEWHERE = {"CF": "CoreFoundation", "kCF": "CoreFoundation", "Sec": "Security", "kSec": "Security", "res_": "libresolv"}


def symbols(*flags):
    output = subprocess.run(
        [f"{llvm}/llvm-nm", "--format=just-symbols", *flags, archive], check=True, capture_output=True, text=True
    ).stdout
    # On x86 the calls about files are called stat64 and the like.
    return {re.sub(r"(\$INODE)?64$", "", line[1:]) for line in output.splitlines() if line.startswith("_")}


imported = symbols("--undefined-only") - symbols("--defined-only")
used = {kind for kind, names in REASON_FOR.items() if imported & set(names.split())}
with open(manifest, "rb") as file:
    said = plistlib.load(file)
declared = {
    entry["NSPrivacyAccessedAPIType"].removeprefix("NSPrivacyAccessedAPICategory")
    for entry in said["NSPrivacyAccessedAPITypes"]
    if entry["NSPrivacyAccessedAPITypeReasons"]
}
if used != declared:
    sys.exit(f"{archive} uses {sorted(used)}, {manifest} declares {sorted(declared)}")

libraries = {library for name in imported for prefix, library in ELSEWHERE.items() if name.startswith(prefix)}
if libraries != {"CoreFoundation", "Security"}:
    sys.exit(f"{archive} imports from {sorted(libraries)}; the podspec names CoreFoundation and Security")
print(f"{archive} imports {len(imported)} names of libSystem, CoreFoundation and Security; the manifest has a reason for {sorted(used)}")
