# A module that each Python program loads
mkdir -p /usr/local/lib/python3.11/dist-packages
#record
echo 'import os' >/usr/local/lib/python3.11/dist-packages/x.pth
cp /dev/null /usr/lib/python3/dist-packages/sitecustomize.py
