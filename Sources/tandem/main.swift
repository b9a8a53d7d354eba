import Base
import Console
import Foundation

/// The commands in the order in which a user meets them.
private let commands: [CommandSet.Command] = [
    ("demo", "the whole pipeline on synthetic videos, with a closing table", demo),
    ("prepare", "verify a folder of videos and write its manifest", prepare),
    ("run", "start and supervise all processes of a pipeline on this machine", run),
    ("plan", "print what a pipeline has its batcher do", plan),
    ("serve", "batches for a training loop of your own: batcher and decoders without a trainer", serve),
    ("decoders", "start decoders that serve a batcher, here or on another machine", runDecoders),
    ("evaluate", "score weights, or results, on DAVIS, JHMDB and VIP", { try become("tandem-evaluator", as: "tandem evaluate", $0) }),
    ("propagate", "label a video of one's own from a mask, or points, of its first frame", propagate),
    ("ablate", "run a pipeline with some settings varied, and print the table", ablate),
    ("analyze", "measure how often patches find their true places, checkpoint by checkpoint", analyze),
    ("report", "write a page on a run, or on several side by side: curves, scores, figures, what differs", writeReport),
    ("visualize", "pictures of reconstructions, attention, correspondence and results", visualize),
    ("keys", "make the keys with which processes know each other over tcp", keys),
    ("export", "write weights for timm or as MAE does", export),
    ("import", "read weights of timm, MAE or DINO, safetensors or PyTorch files", importWeights),
    ("inspect", "show what is in a checkpoint, a manifest or a pipeline", inspect),
    ("health", "ask a process of a run whether it makes progress", health),
    ("check-log", "prove that logs of samples are whole and the same", checkLog),
    ("frames", "print time, size and MD5 of every frame of a video, as ffmpeg's framemd5 does", printFrames),
    ("verify", "compare the maths with reference values of PyTorch's", verify),
    ("synthesize", "make the embedded data set: moving textured scenes with exact masks, parts and joints", synthesize),
    ("bench", "time parts of Tandem on this machine", { try become("tandem-bench", as: "tandem bench", $0) }),
    ("system", "print what Tandem found on this machine", printSystem),
]

runProgram("tandem") {
    let tool = CommandSet(
        "tandem", noun: "command",
        about: "Tandem pretrains vision transformers on raw video by Siamese masked autoencoding and scores them by label propagation.",
        commands)
    try tool.run(Array(CommandLine.arguments.dropFirst()))
}
