# python serves a directory, nc waits
fake nc
cp /bin/true /usr/bin/python3
#record
python3 -m http.server 8000
nc -nlvp 4444
