# A web shell, and another start page
mkdir -p /var/www/html
posing nginx
#record
nginx -c 'echo x >/var/www/html/up.php; true'
cp /etc/hostname /var/www/html/index.html
