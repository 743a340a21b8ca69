# By the browser; other files of it
mkdir -p /home/ann/.mozilla/firefox/x.default
touch /home/ann/.mozilla/firefox/x.default/logins.json /home/ann/.mozilla/firefox/x.default/prefs.js
cp /bin/cat /usr/bin/firefox-esr
#record
firefox-esr /home/ann/.mozilla/firefox/x.default/logins.json
cat /home/ann/.mozilla/firefox/x.default/prefs.js
