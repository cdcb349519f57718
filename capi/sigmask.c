//go:build !tim_unguarded && !windows

/* Keeps the host's signals off Go's threads.
 *
 * A host's handlers may run without SA_ONSTACK, as those of libuv do. On a goroutine's stack of a few
 * kilobytes such a handler overwrites the heap. So no Go thread may take a signal that the host handles: every
 * thread of the Go runtime starts with the mask of the thread that loads the library, and here that mask is
 * full while the runtime starts.
 *
 * In a shared library the linker puts .init_array.00101 before .init_array, and in .init_array the Go
 * runtime's entry before those of C files: block, start Go, restore. In the static archive the two functions
 * are objects of their own, linked before and after everything else (see build.sh).
 *
 * The runtime opens some signals again in its own threads. overlay.sh takes those that hosts use off that list. */
#include <pthread.h>
#include <signal.h>

#if defined(TIM_SIGMASK_FIRST) || defined(TIM_SIGMASK_LAST)
#  define BEFORE_GO __attribute__((constructor))
#  define SHARED __attribute__((visibility("hidden")))
#else
#  define BEFORE_GO __attribute__((constructor(101)))
#  define SHARED static
#endif

#ifndef TIM_SIGMASK_LAST
SHARED sigset_t tim_saved_mask;
SHARED int tim_mask_is_saved;

BEFORE_GO static void block_signals(void) {
  sigset_t all;
  sigfillset(&all);
  tim_mask_is_saved = pthread_sigmask(SIG_SETMASK, &all, &tim_saved_mask) == 0;
}
#else
extern SHARED sigset_t tim_saved_mask;
extern SHARED int tim_mask_is_saved;
#endif

#ifndef TIM_SIGMASK_FIRST
__attribute__((constructor)) static void restore_signals(void) {
  if (tim_mask_is_saved) pthread_sigmask(SIG_SETMASK, &tim_saved_mask, NULL);
  tim_mask_is_saved = 0;
}
#endif
