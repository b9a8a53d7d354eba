# A page in place of a download, and an empty file, are told as what they are by every command that reads weights.
printf '<html>sign in to download</html>' >page.pth
: >empty.pth
for name in page empty; do
    [ $name = page ] && wanted="begins with '<html>sign in to download</html>'; download" || wanted="is empty; download or copy it again"
    for command in "import $name.pth --output o.safetensors" "export --weights $name.pth --output o.safetensors" "inspect $name.pth" \
        "visualize attention --weights $name.pth --output a.png x.png" "bench propagation --weights $name.pth"; do
        if tandem $command >output 2>&1; then echo "$command: exit code 0"; exit 1; fi
        grep -qF "$wanted" output && grep -q "$name.pth is no file of weights.*PyTorch" output || { echo "$command: $(cat output)"; exit 1; }
    done
done
[ ! -e o.safetensors ]

# evaluate looks at its data set first: one that was made here.
tandem synthesize data --videos 0 --sequences 1 >/dev/null 2>&1
for name in page empty; do
    if tandem evaluate --weights $name.pth --root data/davis >output 2>&1; then echo "evaluate: exit code 0"; exit 1; fi
    grep -q "$name.pth is no file of weights.*PyTorch" output || { echo "evaluate: $(cat output)"; exit 1; }
done
