# Searches for other things
#record
grep -r 'error' /srv
find /srv -name '*.log'
echo x | grep -i password
