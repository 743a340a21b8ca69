# One line that fetches and runs
#record
bash -c 'curl -s http://127.0.0.1:1/install.sh | sh; true'
