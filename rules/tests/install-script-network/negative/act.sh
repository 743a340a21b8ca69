# curl of a person; an install script that only compiles
posing npm
fake cc
#record
curl -s http://127.0.0.1:1/payload
npm -c 'sh -c "cc -c x.c; true"; true'
