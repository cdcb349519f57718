/* On Windows an addon imports Node-API from "node.exe". The program may have another name, such as that of an Electron app: this
 * is asked when the first of those functions is called, and answers with the program itself. */
#include <windows.h>

#include <delayimp.h>

static FARPROC WINAPI on_load(unsigned reason, PDelayLoadInfo info) {
  if (reason != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return NULL;
  return (FARPROC)GetModuleHandleW(NULL);
}

PfnDliHook __pfnDliNotifyHook2 = on_load;
