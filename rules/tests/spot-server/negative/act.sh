# python runs something else; nc connects
fake nc
cp /bin/true /usr/bin/python3
#record
python3 -m json.tool
nc -z 127.0.0.1 22
nc -nv 127.0.0.1 443
