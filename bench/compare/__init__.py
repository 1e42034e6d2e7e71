"""`make bench`: this backend beside what people would pick instead, in one interleaved run."""
