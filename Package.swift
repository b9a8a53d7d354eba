// swift-tools-version: 6.0
// The architecture of Tandem, top to bottom. The data half and the maths half meet in Recipes, in Classification, and in what stands above them.
import PackageDescription

/// A Swift library of ours: its name and what it stands on.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude)
}

/// One process of the dataflow, or the tool that surrounds a run.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies)
}

/// C of ours that asks for the processor's instruction sets.
func native(_ name: String, sources: [String]? = nil) -> Target {
    .target(name: name, dependencies: ["CInstructions"], sources: sources)
}

/// Tests of the target of the same name.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies)
}

// A target names every target that it imports, not only the topmost: a build notices changes of those it is told of.

/// What a program needs that trains or runs a model.
let maths: [Target.Dependency] = ["WeightFiles", "Models", "Compute", "Devices"]

let package = Package(
    name: "tandem",
    targets: [
        // Programs.
        program(
            "tandem",
            [
                "Analysis", "Base", "Console", "Configuration", "Dataflow", "Drawing", "Files", "MatFiles", "Metrics", "Synthesis",
                "Media", "Pictures",
                "Propagation", "Recipes", "Report", "RunLog", "Sampling", "ZeroMQ", "Training", "Verification",
            ] + maths),
        program(
            "tandem-bench",
            [
                "Base", "Console", "Configuration", "Dataflow", "Files", "Media", "Pictures", "Propagation", "Ranks", "Recipes", "Sampling",
                "ZeroMQ", "Training", "Autograd",
            ] + maths),
        program("tandem-decoder", ["Base", "Console", "Dataflow", "Media", "Metrics", "Sampling", "ZeroMQ"]),
        program("tandem-batcher", ["Console", "Dataflow", "Metrics", "Sampling", "ZeroMQ"]),
        program(
            "tandem-trainer",
            [
                "Base", "Console", "Configuration", "Dataflow", "Media", "Metrics", "Propagation", "RunLog", "Sampling", "ZeroMQ",
                "Ranks", "Recipes", "Training", "Autograd",
            ] + maths),
        program(
            "tandem-evaluator",
            [
                "Base", "Console", "Configuration", "Dataflow", "Drawing", "Files", "MatFiles", "Media", "Metrics", "Pictures", "Sampling",
                "ZeroMQ", "Propagation", "RunLog", "Training", "Classification",
            ] + maths),
        library("Console", ["Base"]),  // options, --help, progress, signals, errors as sentences
        library("Metrics", ["Base", "Console"]),  // what a process tells of itself over HTTP: numbers, and whether it is well
        library("Configuration", ["Base", "Files", "Recipes", "Training", "Models", "Propagation", "Compute"]),  // Pipelines/*.json5
        library("Drawing", ["Compute", "Models", "Pictures", "Propagation"]),  // what an encoder looks at and finds again
        // Pages on runs; style and script become part of the programs, which are copied without the build's folder.
        .target(
            name: "Report", dependencies: ["Base", "Configuration", "Files", "Propagation"],
            resources: [.embedInCode("Assets/report.css"), .embedInCode("Assets/report.js")]),
        library("Verification", ["Base", "WeightFiles", "Recipes", "Training", "Autograd", "Compute"]),  // how far PyTorch's values are

        // What is trained, from samples to gradients: a recipe is a file.
        library(
            "Recipes",
            ["Base", "Sampling", "Models", "Layers", "Training", "WeightFiles", "Autograd", "Compute", "Pictures"]),

        // How often patches find their true places again.
        library(
            "Analysis",
            ["Base", "Media", "Models", "Pictures", "Propagation", "Recipes", "RunLog", "Sampling", "Synthesis", "Autograd", "Compute"]),
        library("Classification", ["Base", "Files", "Sampling", "Training", "Compute"]),  // classes by frozen features: k-NN, linear probe

        // The ground floor, which both halves stand on.
        library("Files", ["Base"]),  // names and folders as file systems have them, whole files, what a command may write: only its own
        library("Base", ["CLinux"]),  // bytes, hashes, clocks, random numbers, text, a failure as a sentence
        library("Pictures"),  // pictures as values: drawing, overlays, heat, contact sheets

        // The data half: from video files to batches of samples.
        // Messages, the broker as a state machine, its sockets.
        library("Dataflow", ["Base", "Console", "Sampling", "ZeroMQ"], exclude: ["PROTOCOL.md"]),
        library("Synthesis", ["Base"]),  // the embedded data set: textured scenes with exact masks, a pure function of a seed
        // libav: index, decode, crop, write, transcode; libarchive: where members lie.
        library("Media", ["Base", "Files", "Pictures", "Sampling", "CArchive", "CFFmpeg", "CPixels"]),
        library("Sampling", ["Base", "Files", "CMotion", "CPhotometrics"]),  // manifest, plan, Philox, samplers, crops, masks: no libav
        library("ZeroMQ", ["Base", "Files", "CZeroMQ"]),  // context, socket, message, poller
        library("MatFiles", ["Files", "CMatIO"]),  // arrays in MATLAB's files, as JHMDB has them

        // The maths half: from batches to weights and scores.
        library("Propagation", ["Base", "Files", "Pictures", "Compute"]),  // label propagation; DAVIS, JHMDB, VIP and their measures
        library("Training", ["Base", "Files", "Ranks", "WeightFiles", "Autograd", "Compute"]),  // optimizer, schedule, checkpoints
        // Several trainers: what they give one another. What calls MPI is built by `make mpi` and loaded at run time.
        .target(name: "Ranks", dependencies: ["Base"], exclude: ["tandem-mpi.c"]),
        library("RunLog", ["Base", "Files"]),  // a run's folder: logs, scores, figures, TensorBoard's events
        library("Models", ["Base", "WeightFiles", "Layers", "Autograd", "Compute"]),  // the ViT encoder, decoders, tables
        library("WeightFiles", ["Base", "Files"]),  // safetensors and PyTorch's files, read as nobody vouches for them
        library("Layers", ["Autograd", "Compute"]),  // layers as structs
        library("Autograd", ["Base", "Compute"]),  // a tape over a dozen fused ops, the parameter store
        library("Devices", ["Base", "Console", "Compute", "ComputeCPU"]),  // opens the device that is asked for: knows all backends
        library("ComputeCPU", ["Compute", "COneDNN", "CKernels"]),  // the CPU backend
        library("Compute"),  // Tensor and protocol Backend

        // C, each imported by exactly one Swift target.
        .systemLibrary(name: "CLinux"),  // what Swift's module of the C library leaves out
        .systemLibrary(name: "CFFmpeg", providers: [.apt(["libavformat-dev", "libavcodec-dev", "libswscale-dev", "libavutil-dev"])]),
        .systemLibrary(name: "CArchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CMatIO", providers: [.apt(["libmatio-dev"])]),
        .target(name: "CInstructions"),  // the instruction sets that C code is compiled for, and what of them this processor has
        native("COneDNN"),  // finds oneDNN at run time: it is wanted only where the processor has AVX-512
        .target(name: "CMotion"),  // optical flow by block matching, the same on every processor
        native("CPhotometrics"),  // colours of views changed as Pillow does it, the same on every processor
        native("CPixels"),  // crop, resize and conversion of decoded pictures, the same on every processor
        native("CKernels", sources: ["table"]),  // portable C kernels: table/ compiles all of them for each instruction set

        // Tests.
        .target(name: "TestSupport", dependencies: ["Ranks"], path: "Tests/TestSupport"),
        // Backends for tests: those that there are, and a naive one.
        .target(name: "TestBackends", dependencies: ["TestSupport", "Compute", "ComputeCPU"], path: "Tests/TestBackends"),
        tests("Files"),
        tests("Console", ["Base"]),
        tests("Metrics", ["Base", "Console"]),
        tests("Configuration", ["Base", "Models", "Recipes", "Sampling", "Training"]),
        tests("Report", ["Base"]),
        tests("Dataflow", ["Base", "Sampling", "ZeroMQ"]),
        tests("Synthesis"),
        tests("Pictures"),
        tests("Media", ["Base", "Pictures", "Sampling", "CFFmpeg", "CPixels"]),
        tests("Sampling", ["Base", "Synthesis", "WeightFiles", "CPhotometrics"]),
        tests("ZeroMQ", ["Base"]),
        tests("MatFiles"),
        tests("Propagation", ["Base", "TestBackends", "Compute", "MatFiles", "Media", "Pictures"]),
        tests("Analysis", ["TestBackends", "Compute", "Models", "Pictures", "Recipes", "Synthesis"]),
        tests("Classification", ["Base", "TestBackends", "Files", "Compute"]),
        tests("WeightFiles", ["Base", "Models"]),
        tests("RunLog", ["Base"]),
        tests("Training", ["TestBackends", "Base", "Ranks", "WeightFiles", "Models", "Recipes", "Sampling", "Autograd", "Compute"]),
        tests("Recipes", ["TestBackends", "Configuration", "Sampling", "Models", "Training", "Pictures", "Autograd", "Compute"]),
        tests("Models", ["TestBackends", "Recipes", "Autograd", "Compute"]),
        tests("Verification", ["TestBackends", "Base", "Recipes"] + maths),
        tests("Autograd", ["TestBackends", "Compute"]),
        tests("ComputeCPU", ["TestBackends", "Compute", "CKernels"]),  // what only a processor has
        tests("Compute", ["TestBackends"]),  // every operation, on every backend
        tests("Devices", ["TestBackends", "Base"]),
        .executableTarget(
            name: "fuzz", dependencies: ["Base", "Console", "Configuration", "Dataflow", "Media", "Pictures", "Sampling", "TestSupport"],
            path: "Tests/Fuzz"),  // make fuzz
        .executableTarget(
            name: "chaos",
            dependencies: [
                "Base", "Console", "Dataflow", "Media", "Ranks", "Sampling", "TestSupport", "Training", "WeightFiles", "ZeroMQ",
            ],
            path: "Tests/Chaos"),  // make chaos
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "TestSupport", "Base", "Dataflow", "MatFiles", "Media", "Metrics", "Pictures", "RunLog", "Sampling", "Training",
                "WeightFiles",
                "ZeroMQ",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
