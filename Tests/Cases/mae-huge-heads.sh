# MAE's ViT-H/14 has 16 heads; where no published encoder tells their number, it is asked for.
[ -x "${PEERS:-}" ] || { echo "no PyTorch to make the checkpoint with"; exit 77; }
"$PEERS" "$CASE/make.py" huge.pth

# says WANTED COMMAND...: the command succeeds and prints this.
says() {
    local wanted=$1
    shift
    "$@" >output 2>&1 && grep -qF -- "$wanted" output || { echo "$*: no '$wanted' in: $(cat output)"; exit 1; }
}
says "16 heads" tandem import huge.pth --output h.safetensors
says "16 heads" tandem inspect huge.pth
says "num_heads=16" tandem export --weights huge.pth --output e.safetensors
cmp h.safetensors e.safetensors
says "num_heads=20" tandem export --weights huge.pth --heads 20 --output twenty.safetensors
says "20 heads" tandem inspect twenty.safetensors
for command in evaluate export inspect "visualize attention" "visualize correspondence"; do
    says "--heads N" tandem $command --help
done

# The same with patches of 16, which no published encoder of this width has under these names.
sed 's/width, patch, grid = 1280, 14, 16/width, patch, grid = 1280, 16, 14/' "$CASE/make.py" >other.py
"$PEERS" other.py other.pth
if tandem import other.pth --output o.safetensors 2>error; then echo "heads were guessed"; exit 1; fi
grep -q -- "--heads" error || { echo "no --heads in: $(cat error)"; exit 1; }
says "16 heads" tandem import other.pth --heads 16 --output o.safetensors
