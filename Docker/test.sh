#!/usr/bin/env bash
# Runs the compose files for real: the demo to a score, decoders that come and go, containers killed and restarted, decoders in a network of
# their own with keys, a swarm. The samples that are trained on must be the same throughout. 'make docker-test' builds the image first.
# Takes some ten minutes on two cores; removes all it made, and says what it could not do.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
touch "$scratch/env"   # no settings of a run that is not this one
compose="$(docker compose version >/dev/null 2>&1 && echo "docker compose" || echo docker-compose) --env-file $scratch/env"
project=tandem-test
export IMAGE=${IMAGE:-tandem} MEDIA=$scratch/data/train DAVIS=$scratch/data/davis KEYS=$scratch/keys PORTS=${PORTS:-25555-25557}
export SAMPLE_LOG="--sample-log runs/samples.log" COMPOSE_INTERACTIVE_NO_CLI=1
skipped=()
has_swarm=

say() { printf '\n== %s  (%s)\n' "$*" "$(date +%T)"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# Without docker-compose 1.29's warnings of what only a swarm knows.
composed() { $compose "$@" 2> >(grep -vE 'not supported|^$|[Ss]warm|^(Creating|Stopping|Removing) ' >&2 || true); }
run() { composed -p $project "$@"; }
elsewhere() { composed -p $project-elsewhere -f compose.decoder.yaml "$@"; }
as_root() { docker run --rm --user 0 -v "$scratch:/scratch" --entrypoint sh "$IMAGE" -c "$1"; }
steps() { export SET="--set train.steps=$1 --set train.checkpointEvery=40 --set evaluation.every=0"; }

clean() {
    CONNECT=none elsewhere down -v --remove-orphans || true
    run down -v --remove-orphans || true
    if [ -n "$has_swarm" ]; then docker swarm leave --force || true; docker volume rm -f $project-stack_runs || true; fi
    as_root 'rm -rf /scratch/*' || true
    rm -rf "$scratch"
} >/dev/null 2>&1
trap clean EXIT

# The containers of a service, of Compose or of the swarm.
containers() { docker ps -q --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1"
    docker ps -q --filter "label=com.docker.swarm.service.name=$project-stack_$1"; }

# Waits until the trainer has done so many steps.
wait_for_step() {
    local step
    for _ in $(seq 600); do
        step=$(docker exec "$(containers trainer | head -1)" tandem health 9100 2>/dev/null | sed -n 's/^step \([0-9]*\) of.*/\1/p' || true)
        [ "${step:-0}" -lt "$1" ] || return 0
        sleep 0.5
    done
    run logs --tail 20 >&2
    fail "the trainer did not come to step $1"
}

# Waits until the trainer has ended well.
wait_for_end() {
    local trainer code
    trainer=$(docker ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=trainer")
    for _ in $(seq 600); do
        code=$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$trainer")
        [ "$code" != "exited 0" ] || return 0
        sleep 1
    done
    run logs --tail 20 >&2
    fail "the trainer did not end: $code"
}

# Takes a run's sample log, and proves it the same as those before; $2: the volume of runs.
keep_log() {
    docker run --rm --user 0 -v "$2:/runs:ro" -v "$scratch:/scratch" --entrypoint cp "$IMAGE" /runs/samples.log "/scratch/$1.log"
    docker run --rm -v "$scratch:/scratch:ro" -w /scratch "$IMAGE" check-log plain.log "$1.log" | tail -1
}

# A checkpoint of a run, by its step.
weights() {
    docker run --rm -v ${project}_runs:/tandem/runs:ro --entrypoint cat "$IMAGE" "runs/demo/checkpoints/$(printf 'step-%08d' "$1").safetensors"
}

say "videos and keys for all runs"
as_root 'tandem keys /scratch/keys >/dev/null && tandem synthesize /scratch/data --videos 8 --sequences 2 2>/dev/null
    chmod 755 /scratch && chown -R tandem /scratch/keys /scratch/data'

say "the demo, undisturbed, with one decoder"
steps 240
run up -d
run ps
wait_for_end
unwell=$(docker ps -q --filter "label=com.docker.compose.project=$project" --filter health=unhealthy)
[ -z "$unwell" ] || fail "unhealthy: $unwell"
run logs trainer | grep "scores of step 240" || fail "no score"
keep_log plain ${project}_runs
weights 240 >"$scratch/plain.weights"
run down -v

say "the same with 1, 4 and 2 decoders, and everything killed or restarted once"
run up -d
wait_for_step 20
run up -d --no-deps --no-recreate --scale decoder=4 decoder
wait_for_step 50
# By hand: Docker does not start again what was ended by hand.
for role in decoder batcher trainer evaluator; do
    victim=$(containers $role | head -1)
    docker kill "$victim" >/dev/null && docker start "$victim" >/dev/null && echo "killed and started: $role"
done
wait_for_step 90
# By itself, as a crash or the system's want of memory would do: Docker starts it again.
for role in decoder batcher trainer; do
    victim=$(containers $role | head -1)
    docker exec "$victim" sh -c 'kill -9 -1' || true
    for _ in $(seq 100); do [ "$(docker inspect -f '{{.RestartCount}}' "$victim")" -ge 1 ] && break; sleep 0.2; done
    [ "$(docker inspect -f '{{.RestartCount}}' "$victim")" -ge 1 ] || fail "the $role was not started again"
    echo "died and was started again: $role"
done
wait_for_step 130
run up -d --no-deps --no-recreate --scale decoder=2 decoder
[ "$(containers decoder | wc -l)" -eq 2 ] || fail "not two decoders"
wait_for_step 160
for role in batcher decoder trainer; do docker restart "$(containers $role | head -1)" >/dev/null && echo "restarted: $role"; done
wait_for_end
run logs trainer | grep "scores of step 240" || fail "no score"
keep_log disturbed ${project}_runs
weights 240 | cmp - "$scratch/plain.weights" || fail "the weights differ"
echo "the same weights, bit for bit"
run down -v

say "three trainers in one container, one of which dies, and one trainer"
steps 80
TRAINERS="--trainers 3" run up -d
wait_for_step 50
trainer=$(containers trainer)
docker exec "$trainer" sh -c 'for process in /proc/[0-9]*; do
    if [ "$(readlink $process/exe)" = /usr/local/bin/tandem-trainer ]; then last=${process#/proc/}; fi; done; kill -9 $last'
wait_for_end
[ "$(docker inspect -f '{{.RestartCount}}' "$trainer")" -ge 1 ] || fail "the trainers were not started again"
run logs trainer | grep -o "3 trainers, 3 on this host.*" | head -1 || fail "not three trainers"
keep_log trainers ${project}_runs
weights 80 >"$scratch/trainers.weights"
run down -v
TRAINERS="--trainers 1" run up -d
wait_for_end
weights 80 | cmp - "$scratch/trainers.weights" || fail "the weights differ"
echo "the same weights, bit for bit"
run down -v

say "batches for a loop of one's own, over published ports, with keys"
if reason=$(python3 -c 'import zmq, numpy' 2>&1); then
    run up -d --scale decoder=2 batcher decoder
    # What a sample log says of samples, as a client sees it.
    PYTHONPATH=../Sources/Python python3 - "tcp://127.0.0.1:${PORTS%-*}" "$KEYS" <<'END' >"$scratch/client.log"
import sys, tandem
stream = tandem.Stream(sys.argv[1], keys=sys.argv[2], batch=32, samples=320)
for batch in stream:
    for header, views in zip(batch.headers, batch["views"]):
        shown = [",".join(map(str, views[:, column])) for column in (0, 1)]
        print(header.sample, header.ticket, header.replica, header.attempt, header.path, *shown, sep="\t")
stream.close()
END
    sed -n 2,321p "$scratch/plain.log" | cut -f 3-9 | cmp - "$scratch/client.log" || fail "the client has other samples"
    echo "the same 320 samples"
    run down -v
else
    skipped+=("batches for a loop of one's own: $(tail -1 <<<"$reason")")
fi

say "no decoder but those in a network of their own, over published ports, with keys"
steps 80
run up -d --scale decoder=0
# The host as the other network sees it.
export CONNECT=tcp://$(docker network inspect ${project}_default -f '{{(index .IPAM.Config 0).Gateway}}'):${PORTS%-*}
as_root 'mkdir -p /scratch/strange && tandem keys /scratch/strange >/dev/null && cp /scratch/keys/server.pub /scratch/strange && chown -R tandem /scratch/strange'
KEYS=$scratch/strange elsewhere up -d
for _ in $(seq 100); do run logs batcher 2>&1 | grep -q "refused .* not in the list" && break; sleep 0.2; done
run logs batcher 2>&1 | grep "refused .* not in the list" | head -1 || fail "a stranger was not refused"
elsewhere down
elsewhere up -d --scale decoder=2
wait_for_end
keep_log elsewhere ${project}_runs
elsewhere down -v
run down -v

say "a swarm with a replicated decoder service"
if [ "$(docker info -f '{{.Swarm.LocalNodeState}}')" != inactive ]; then
    skipped+=("the swarm: this engine is part of one already")
elif ! reason=$(docker swarm init --advertise-addr 127.0.0.1 2>&1); then
    skipped+=("the swarm: $reason")
else
    has_swarm=yes
    docker stack deploy -c compose.yaml $project-stack 2>&1 | grep -v "^Creating"
    wait_for_step 10
    docker service scale --detach $project-stack_decoder=3 >/dev/null
    for _ in $(seq 300); do [ "$(containers decoder | wc -l)" -eq 3 ] && break; sleep 0.2; done
    [ "$(containers decoder | wc -l)" -eq 3 ] || fail "not three decoders"
    wait_for_step 30
    docker kill "$(containers batcher)" >/dev/null && echo "killed: batcher"
    docker kill "$(containers decoder | head -1)" >/dev/null && echo "killed: decoder"
    for _ in $(seq 600); do
        docker service ps $project-stack_trainer --format '{{.CurrentState}}' | grep -q Complete && break
        sleep 1
    done
    docker service ps $project-stack_trainer --format '{{.CurrentState}}' | grep -q Complete || fail "the trainer did not end"
    keep_log swarm $project-stack_runs
    docker stack rm $project-stack >/dev/null
fi

say "all samples were the same throughout"
[ ${#skipped[@]} -eq 0 ] || printf 'skipped: %s\n' "${skipped[@]}"
