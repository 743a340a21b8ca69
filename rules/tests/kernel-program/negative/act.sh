# perl makes a map; loading is refused; a program of the system loads one
cp /usr/bin/perl /usr/sbin/loader
#record
loader -e '$i = pack "C16", 0xb7, (0) x 7, 0x95, (0) x 7; $g = "GPL";
	$a = pack("LLQQ", 1, 2, unpack("Q", pack("P", $i)), unpack("Q", pack("P", $g))) . "\0" x 48; syscall 321, 5, $a, 72'
perl -e '$a = pack("LLLL", 2, 4, 4, 1) . "\0" x 56; syscall 321, 0, $a, 72'
perl -e '$a = "\0" x 72; syscall 321, 5, $a, 72'
