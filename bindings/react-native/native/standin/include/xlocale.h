/* bionic has it; libc++ wants it to be there. */
