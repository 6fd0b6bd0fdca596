## fuzz_programs += fuzz_x ; fuzz_x_SOURCES = tests/fuzz/fuzz_x.c ; fuzz_x_CFLAGS/_LDFLAGS = ... -fsanitize=fuzzer
