# Hidden companions in the benchmarks' folders change nothing: neither scores of results, nor what is propagated, nor pictures.
fail() { echo "$1"; exit 1; }
tandem synthesize data --videos 1 --sequences 2 --seed 3 >/dev/null

scores() {
    for set in davis jhmdb vip; do
        tandem evaluate --baseline copy --dataset $set --root data/$set
        case $set in
            davis) results=data/davis/Annotations/480p ;;
            jhmdb) results=data/jhmdb/joint_positions ;;
            vip) results=data/vip/Annotations/Category_ids ;;
        esac
        tandem evaluate --metrics-only --results $results --dataset $set --root data/$set
        tandem visualize overlays --results $results --dataset $set --root data/$set --output overlays-$set --frames 2
    done 2>/dev/null
}

scores >before
sh "$CASE/make.sh" data
[ "$(find data -name '._*' | wc -l)" -gt 0 ] || fail "make.sh added nothing"
scores >after || fail "with hidden companions: $(cat after)"
cmp before after || fail "scores changed"

# Frames, videos and checkpoints have companions too.
printf companion >data/train/._video-00000.mp4
tandem visualize reconstructions --help >/dev/null
tandem prepare data/train >/dev/null
! grep -q '\._' data/train/rejects.jsonl || fail "prepare took a companion: $(cat data/train/rejects.jsonl)"
