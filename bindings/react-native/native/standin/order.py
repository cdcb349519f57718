"""order.py LLVM LIBRARY: when the library is loaded, signals are blocked, Go is started, and signals are restored, in this order.

Written for arm64, where a packed relocation says what is called."""
import re
import subprocess
import sys

llvm, library = sys.argv[1:]


def run(tool, *arguments):
    return subprocess.run([f"{llvm}/{tool}", *arguments, library], check=True, capture_output=True, text=True).stdout


start, size = (
    int(number, 16)
    for number in re.search(r" \.init_array +INIT_ARRAY +(\w+) \w+ (\w+)", run("llvm-readelf", "-SW")).groups()
)
names = {int(address, 16): name for address, name in re.findall(r"^(\w+) [tT] (\S+)$", run("llvm-nm"), re.M)}
called = {
    int(where, 16): names.get(int(what, 16), "")
    for where, what in re.findall(r"^(\w+) +\w+ R_AARCH64_RELATIVE +(\w+)$", run("llvm-readelf", "-rW"), re.M)
    if start <= int(where, 16) < start + size
}
order = [called[where] for where in sorted(called)]
ours = [name for name in order if name in ("block_signals", "restore_signals") or name.startswith("_rt0_")]
if ours != ["block_signals", "_rt0_arm64_android_lib", "restore_signals"]:
    sys.exit(f"{library} calls when it is loaded: {order}")
print("it is loaded with its signals blocked")
