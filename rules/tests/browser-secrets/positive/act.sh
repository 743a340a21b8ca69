# Saved passwords are copied
mkdir -p /home/ann/.mozilla/firefox/x.default /home/ann/.config/chromium/Default
touch /home/ann/.mozilla/firefox/x.default/logins.json "/home/ann/.config/chromium/Default/Login Data"
#record
cp /home/ann/.mozilla/firefox/x.default/logins.json /tmp
cat "/home/ann/.config/chromium/Default/Login Data"
