# perl makes a map; loading is refused
#record
perl -e '$a = pack("LLLL", 2, 4, 4, 1) . "\0" x 56; syscall 321, 0, $a, 72'
perl -e '$a = "\0" x 72; syscall 321, 5, $a, 72'
