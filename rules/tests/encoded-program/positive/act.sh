# Programs hidden in base64: for python, for perl, for a shell that decodes and runs
#record
python3 -ISc 'import base64; exec(base64.b64decode("cHJpbnQoMSk="))'
perl -MMIME::Base64 -e 'eval decode_base64("MTs=")'
bash -c 'echo dHJ1ZQo= | base64 -d | sh'
