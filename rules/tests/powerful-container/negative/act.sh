# Ordinary containers
fake docker
#record
docker run -v /srv/data:/data -p 80:80 nginx
docker ps
