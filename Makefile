# Tandem's tasks. `make` alone lists them and says what it found on this machine.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .build/release
PACKAGES := libavformat-dev libavcodec-dev libswscale-dev libavutil-dev libzmq3-dev libdnnl-dev libmatio-dev libarchive-dev libjs-dygraphs
DECODERS ?= $(shell nproc)
DEMO ?= full
RECIPE ?= siammae
SEED ?= 1
MPICC ?= mpicc
BUILD_OF_TRAINERS = $(if $(filter-out 1,$(TRAINERS)),mpi,build)

##@ First steps

.PHONY: demo
demo: setup ## Synthesize videos, train a small model on them, score it: the whole pipeline in minutes [RECIPE=siammae] [DEMO=smoke: a short one] [SEED=1]
	@$(MAKE) build
	@$(BIN)/tandem demo --size $(DEMO) --recipe $(RECIPE) --seed $(SEED)

.PHONY: test
test: setup ## Build everything and pass the tests
	swift build -c release --build-tests
	swift test -c release --skip-build

##@ Runs

.PHONY: run
run: ## Run a pipeline on this machine: make run PIPELINE=Pipelines/NAME.json5 [TRAINERS=4] [ARGS="--set train.steps=100"]
	@test -n "$(PIPELINE)" || { echo "say which pipeline: make run PIPELINE=Pipelines/NAME.json5 (there are: $$(ls Pipelines/*.json5 | xargs))" >&2; exit 2; }
	@$(MAKE) $(BUILD_OF_TRAINERS)
	@$(BIN)/tandem run $(PIPELINE) $(addprefix --trainers ,$(TRAINERS)) $(ARGS)

.PHONY: decoders
decoders: ## Add decoders to a run: make decoders CONNECT=tcp://127.0.0.1:5555 MEDIA=FOLDER [DECODERS=N] [KEYS=FOLDER]
	@test -n "$(CONNECT)" -a -n "$(MEDIA)" || { echo "say where the batcher and the videos are: make decoders CONNECT=tcp://127.0.0.1:5555 MEDIA=FOLDER" >&2; exit 2; }
	@$(MAKE) build
	@$(BIN)/tandem decoders --connect $(CONNECT) --media $(MEDIA) --count $(DECODERS) $(addprefix --keys ,$(KEYS))

.PHONY: mpi
mpi: build mpi-library ## Build what several trainers reach one another by, with this site's MPI [MPICC=mpicc]

.PHONY: mpi-library
mpi-library:
	$(MPICC) -O2 -shared -fPIC -Wall -Wextra -DTANDEM_LAUNCHER='"$(subst mpicc,mpirun,$(MPICC))"' Sources/Ranks/tandem-mpi.c -o $(BIN)/tandem-mpi.so

.PHONY: report
report: ## Write one page on runs, side by side: make report RUNS="runs/a runs/b"
	@test -n "$(RUNS)" || { echo 'say which runs: make report RUNS="runs/a runs/b"' >&2; exit 2; }
	@$(MAKE) build
	@$(BIN)/tandem report $(RUNS)

EIGHT := $(foreach recipe,siammae mae mae-st videomae videomae-v2 mgmae ibot siamese-im,Pipelines/eight/$(recipe).json5)
SEEDS ?= 3

.PHONY: eight
eight: build ## The eight systems on one budget of processor time, an hour and a half: a table, and runs/eight.html; goes on where it stopped [SEEDS=3]
	@$(BIN)/tandem synthesize runs/eight/data --seed 1 --short-side 128 --videos 80 --sequences 20 --classification 40 --correspondences
	@$(BIN)/tandem prepare runs/eight/data/train --transcode runs/eight/data/quick --short-side 128 --fast-access
	@$(BIN)/tandem ablate $(EIGHT) --seeds $(SEEDS) --truth runs/eight/data $(addprefix --classes runs/eight/data/classification/,motion appearance)
	@$(BIN)/tandem report runs/eight-*-base-seed-* --output runs/eight.html

##@ Containers

COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) -p tandem
KEYS_OF_CONTAINERS := Docker/keys/server.key

# Compose reads them from the file; in its environment, where make would put what a user says, they would come first, and paths as they were said.
unexport MEDIA DAVIS PIPELINE SET PORTS TRAINERS
SETTINGS_OF_CONTAINERS = printf '%s\n' MEDIA=$(abspath $(MEDIA)) DAVIS=$(abspath $(DAVIS)) PIPELINE=$(abspath $(PIPELINE)) 'SET=$(SET)' \
	    PORTS=$(PORTS) $(if $(MEDIA),EVALUATE=$(if $(DAVIS),/data/davis)) $(if $(TRAINERS),'TRAINERS=--trainers $(TRAINERS)') >Docker/.env

.PHONY: docker-build
docker-build: ## Build the image that holds all programs
	docker build -f Docker/Dockerfile -t tandem .

$(KEYS_OF_CONTAINERS):
	docker run --rm --user 0 -v "$(CURDIR)/Docker/keys:/keys" --entrypoint sh tandem -c 'tandem keys /keys && chown -R tandem /keys'

.PHONY: docker-up
docker-up: docker-build $(KEYS_OF_CONTAINERS) ## Run the demo in containers; or MEDIA=FOLDER [DAVIS=FOLDER] PIPELINE=FILE [SET="--set …"] [N=decoders] [TRAINERS=2]
	@$(SETTINGS_OF_CONTAINERS)
	cd Docker && $(COMPOSE) up -d --scale decoder=$(or $(N),1)
	cd Docker && $(COMPOSE) logs -f trainer

.PHONY: docker-serve
docker-serve: docker-build $(KEYS_OF_CONTAINERS) ## Serve batches to a training loop of your own: MEDIA=FOLDER PIPELINE=FILE [SET="--set …"] [N=decoders]
	@$(SETTINGS_OF_CONTAINERS)
	cd Docker && $(COMPOSE) up -d --scale decoder=$(or $(N),1) batcher decoder
	@echo 'tandem.Stream("tcp://127.0.0.1:$(firstword $(subst -, ,$(or $(PORTS),5555)))", keys="Docker/keys", batch=64)'

.PHONY: docker-scale
docker-scale: ## Have N decoders in all: make docker-scale N=4
	@test -n "$(N)" || { echo "say how many decoders: make docker-scale N=4" >&2; exit 2; }
	cd Docker && $(COMPOSE) up -d --no-deps --no-recreate --scale decoder=$(N) decoder

.PHONY: docker-down
docker-down: ## Stop the containers in order; videos, runs and keys stay [ARGS=-v: videos and runs go]
	cd Docker && $(COMPOSE) down $(ARGS)

.PHONY: docker-test
docker-test: docker-build ## Kill, scale and restart containers, on one host, over two networks and in a swarm: the samples stay the same
	Docker/test.sh

##@ Development

# The system libraries that are missing, as a shell's word list; none where there is no dpkg to ask.
MISSING = $$(! command -v dpkg-query >/dev/null || for package in $(PACKAGES); do \
    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || echo $$package; done)

.PHONY: setup
setup: ## Install the system libraries that are missing (apt)
	@command -v dpkg-query >/dev/null || echo "there is no dpkg here; see that there is what your system calls $(PACKAGES)"
	@missing=$(MISSING); \
	if [ -n "$$missing" ]; then \
	    sudo=; if [ $$(id -u) -ne 0 ]; then sudo=sudo; \
	        command -v sudo >/dev/null || { echo "missing: "$$missing"; run as root: apt-get install "$$missing >&2; exit 1; }; fi; \
	    echo "installing "$$missing; $$sudo apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq -y --no-install-recommends $$missing >/dev/null; fi
	@$(MAKE) requirements

# What all that builds needs. Asked for, setup installs it; nothing else does.
.PHONY: requirements
requirements:
	@missing=$(MISSING); \
	test -z "$$missing" || { echo "missing: "$$missing"; 'make setup' installs them" >&2; exit 1; }
	@command -v swift >/dev/null || { echo "there is no swift; install the Swift 6 toolchain: https://www.swift.org/install/linux/" >&2; exit 1; }

.PHONY: build
build: requirements ## Build all programs
	@swift build -c release

.PHONY: lint
lint: lint-c ## Check the style of all sources
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

CLANG ?= $(or $(shell command -v clang),$(dir $(realpath $(shell command -v swift)))clang)
# The kernels' files are parts of those in table/.
# What calls MPI is for the compiler of MPI.
C_SOURCES = $(filter-out Sources/CKernels/% Sources/Ranks/%,$(wildcard Sources/*/*.c)) $(wildcard Sources/CKernels/table/*.c)
C_WARNINGS := -Wall -Wextra -Wconversion -Wsign-conversion -Werror $(addprefix -I,$(wildcard Sources/*/include))

.PHONY: lint-c
lint-c: ## Check that the C sources give no warning, on this machine and for arm64
	@for file in $(C_SOURCES); do $(CLANG) $(C_WARNINGS) -fsyntax-only $$file; done
	@for shim in Sources/*/shim.h; do $(CLANG) $(C_WARNINGS) -fsyntax-only -include $$shim -x c /dev/null; done
	@# The system's own headers serve for another processor, but for one that is only there for its own.
	@headers=$$(mktemp -d); trap 'rm -r "$$headers"' EXIT; mkdir "$$headers/gnu"; touch "$$headers/gnu/stubs-32.h"; \
	for file in $(C_SOURCES); do \
	    $(CLANG) --target=aarch64-linux-gnu $(C_WARNINGS) -isystem "$$headers" -isystem /usr/include/x86_64-linux-gnu -fsyntax-only $$file; done

.PHONY: format
format: ## Bring all sources into style
	swift format --in-place --parallel --recursive Package.swift Sources Tests

.PHONY: bench
bench: build ## One table of training steps, their operations and an evaluation's frames: what this processor can do, and the share of it
	@$(BIN)/tandem bench summary

PEERS ?= $(HOME)/.cache/tandem-peers

.PHONY: bench-trainers
bench-trainers: mpi ## Time several trainers beside one, and what they exchange beside MPI's own sum [ARGS="--simulate"]
	@$(BIN)/tandem bench trainers $(ARGS)

.PHONY: bench-peers
bench-peers: build ## Time training steps of Tandem and PyTorch in turn, and evaluation if TANDEM_SHARED is there [RECIPES="mae videomae-s"]; decoding too, given VIDEOS=FOLDER [TRANSCODED=FOLDER] [PEERS=FOLDER]
	@test -x $(PEERS)/bin/python || { echo "PyTorch is not installed in $(PEERS): 'make peers' does it" >&2; exit 2; }
	@test -z "$(VIDEOS)" || $(PEERS)/bin/python -B Tests/Peers/decode.py --tandem $(BIN)/tandem $(addprefix --transcoded ,$(TRANSCODED)) $(VIDEOS)
	@test -z "$(VIDEOS)" || $(PEERS)/bin/python -B Tests/Peers/stream.py --tandem $(BIN)/tandem $(addprefix --transcoded ,$(TRANSCODED)) $(VIDEOS)
	@$(PEERS)/bin/python -B Tests/Peers/bench.py --tandem $(BIN)/tandem $(RECIPES)
	@test ! -f $(TANDEM_SHARED)/peers/propagate.py || $(PEERS)/bin/python -B Tests/Peers/propagation.py --tandem $(BIN)/tandem --shared $(TANDEM_SHARED)

# PyPI has torchvision and today's torchcodec for PyTorch with CUDA alone, which runs without a GPU too. The other torchcodec goes with any
# PyTorch; it lies in a folder of its own, where Tests/Peers/decode.py looks for it.
PEER_PACKAGES := torch==2.15.0 torchvision==0.29.2 torchcodec==0.17.0 timm==1.0.31 transformers==5.24.0 numpy safetensors tensorboard decord av opencv-python-headless pyzmq pyarrow
OTHER_TORCHCODEC := 0.13

.PHONY: peers
peers: ## Install the Python programs that cross-checks compare with, 6 GB, outside the tree [PEERS=FOLDER]
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet $(PEER_PACKAGES)
	$(PEERS)/bin/pip install --quiet --no-deps --upgrade --target $(PEERS)/torchcodec-$(OTHER_TORCHCODEC) torchcodec==$(OTHER_TORCHCODEC)
	@for other in "" $(PEERS)/torchcodec-$(OTHER_TORCHCODEC); do PYTHONPATH=$$other $(PEERS)/bin/python -c \
	    'import torch, torchvision, timm, torchcodec.decoders; print(f"torch {torch.__version__}, torchcodec {torchcodec.__version__}")' || \
	    { echo "torchcodec wants FFmpeg's shared libraries: apt-get install ffmpeg" >&2; exit 1; }; done
	@echo "installed in $(PEERS)"

FUZZ ?= 2000
TANDEM_SHARED ?= ../shared

.PHONY: fuzz
fuzz: requirements ## Read damaged videos, pictures, manifests, pipelines and messages under AddressSanitizer [FUZZ=2000: so many of each kind] [SEED=1]
	swift build -c release --sanitize=address --product fuzz --scratch-path .build-fuzz
	ASAN_OPTIONS=detect_leaks=0 .build-fuzz/release/fuzz --count $(FUZZ) --seed $(SEED) $(addprefix --videos ,$(wildcard $(TANDEM_SHARED)/data/videos))

.PHONY: cases
cases: build ## Try the inputs that once went wrong, where TANDEM_SHARED has them [CASES="NAME …"]
	@PEERS=$$(test -x $(PEERS)/bin/python && echo $(PEERS)/bin/python) Tests/Cases/run.sh $(TANDEM_SHARED)/cases $(BIN) $(CASES)

CHAOS ?= short
MINUTES ?= 10

.PHONY: chaos
chaos: ## Kill, stop, restart and mislead a run, compare it with the undisturbed one [CHAOS=short|soak|network] [MINUTES=10: of soak] [SEED=1] [TRAINERS=1]
	@$(MAKE) $(BUILD_OF_TRAINERS)
	@$(BIN)/chaos --mode $(CHAOS) --minutes $(MINUTES) --seed $(SEED) $(addprefix --trainers ,$(TRAINERS))

.PHONY: clean
clean: ## Remove what was built (runs/ stays)
	rm -rf .build .build-fuzz

.PHONY: help
help: ## Print this text
	@echo "Tandem: vision transformers from raw video"
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nThis machine\n'
	@printf '  %-9s %s\n' Swift "$$(swift --version 2>/dev/null | grep -o 'Swift version [0-9.]*' | head -1 | grep . || echo 'not found: https://www.swift.org/install/linux/')"
	@if [ -x $(BIN)/tandem ]; then $(BIN)/tandem system | sed 's/^/  /'; else \
	    for package in $(PACKAGES); do \
	        printf '  %s %s\n' $$package "$$(dpkg-query -W -f='$${Version}' $$package 2>/dev/null || echo 'missing: make setup installs it')"; done; \
	    printf '  %-9s %s\n  more after make build\n' cores "$$(nproc)"; fi
