# Memory files that are only read; runc's copy of itself
posing runc
#record
perl -e '$n = "cache"; $fd = syscall 319, $n, 0; open F, ">&=", $fd; syswrite F, "data"; system "true"'
runc -c 'perl -e "\$fd = syscall 319, \$n = q(runc), 0; open F, q(>&=), \$fd; open I, q(<), q(/bin/true); local \$/; syswrite F, <I>;
	exec qq(/proc/self/fd/\$fd)"; true'
