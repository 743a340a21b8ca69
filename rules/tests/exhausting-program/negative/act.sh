# A stress test by root; similar words
fake stress-ng
#record
stress-ng --cpu 2
echo stress
sh -c 'x() { true; }; x'
