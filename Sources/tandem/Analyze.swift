import Analysis
import Base
import Console
import Devices
import Propagation

/// `tandem analyze`: how often patches find their true places, checkpoint by checkpoint.
func analyze(arguments: [String]) throws {
    var options = Arguments(
        "tandem analyze",
        about: """
            Measures how often the patches of later frames find their true places in the first one, for each checkpoint that a run has kept, each \
            layer and each head: by the encoder's features (cosine; a head's are its keys), and in SiamMAE by the decoder's cross-attention \
            under the run's own masks. A hit is the very patch, near is at most one patch beside it; "same-place" looks where the patch is. \
            Writes RUN/analysis.jsonl, a line for each source, layer, head, kind of patches and gap, and RUN/figures/matches-STEP.jpg, and prints a \
            table. For curves over a training keep its checkpoints: --set train.keepCheckpoints=100.
            """, arguments: arguments)
    let set = options.required("--truth", "FOLDER", "what 'tandem synthesize FOLDER --correspondences' made")
    let size: InputSize? = options.value(
        "--size", "HxW|S|longS", "\(InputSize.help); default: the size of training, in which whole frames are squeezed")
    let threads = options.threads()
    let runs = options.remainingOperands("RUN", "folders of runs")
    if runs.isEmpty { options.refuse("name the folder of a run") }
    options.finish()

    Interruption.catchSignals()
    let truth = try CorrespondenceSet(set)
    for run in runs { print("\(run)\n\(try RunAnalysis(run: run, truth, size: size, threads: threads).text)") }
}
