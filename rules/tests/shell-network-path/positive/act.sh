# bash connects by a path; nobody listens
#record
bash -c 'exec 5<>/dev/tcp/127.0.0.1/4444; cat <&5; true' 2>/dev/null
