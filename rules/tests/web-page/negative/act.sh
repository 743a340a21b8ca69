# Read; a picture that was uploaded; deployed by git and by a package
mkdir -p /var/www/html; echo x >/var/www/html/index.html
posing nginx
posing git
posing dpkg
#record
nginx -c 'read line </var/www/html/index.html; echo x >/var/www/html/a.png; true'
git -c 'echo x >/var/www/html/new.php; true'
echo x >/srv/index.html
dpkg -c 'echo x >/var/www/html/index.html; true'
