# What a pipe delivers is executed
printf 'true\n' >/tmp/list
#record
perl -e 'pipe R, W; if (!fork) { open STDIN, "<&", R; exec "sh" } select undef, undef, undef, 0.1; print W "true\n"; close W; wait'
