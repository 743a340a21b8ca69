# Read at a login; changed by PAM's own tool
posing login
posing pam-auth-update
#record
login -c 'cat /etc/pam.d/common-auth >/dev/null 2>&1; true'
pam-auth-update -c 'echo >>/etc/pam.d/common-auth; true'
