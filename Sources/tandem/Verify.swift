import Base
import Compute
import Console
import Devices
import Foundation
import Recipes
import Training
import Verification

/// `tandem verify`: what can be checked against values from elsewhere.
func verify(arguments: [String]) throws {
    let kinds = CommandSet(
        "tandem verify", noun: "kind", about: "Compares what Tandem computes with values from elsewhere.",
        [("maths", "a model's outputs, gradients and optimizer steps, beside reference values", verifyMaths)])
    try kinds.run(arguments)
}

/// `tandem verify maths`: forward, backward and ten steps of AdamW against PyTorch's.
private func verifyMaths(arguments: [String]) throws {
    var options = Arguments(
        "tandem verify maths",
        about: """
            Runs a model on the inputs of each fixture and prints the worst error of its outputs, its loss, its gradients, the
            losses of ten optimizer steps and the parameters after them, with a teacher's and other state, relative to the
            reference values in the file. Exits with 1 where an error is beyond its tolerance.

            With f32, an error is the largest difference over the largest value of a tensor: outputs may reach 2e-6, gradients
            5e-6, losses 1e-6 (iBOT's 2e-6), parameters 1e-4. With bf16, it is the length of the difference over the length: outputs and
            gradients may reach 3e-2, losses 1e-2, and parameters are not judged.

            The gradient of a key's bias is zero in exact arithmetic and rounding noise in any other. Among the gradients it is
            measured by the whole bias that it is a part of; in the parameters after the steps it is left out, for AdamW blows
            the noise up to whole steps. So are single values whose first gradient is below a millionth of their tensor's largest.
            """,
        arguments: arguments)
    let products = options.value("--precision", "f32|bf16", "what products are computed in", default: Precision.f32)
    let activations = options.value(
        "--activations", "f32|bf16", "what activations are kept in; with products in bf16 always bf16", default: Precision.f32)
    let threads = options.threads()
    let files = options.remainingOperands("FILE", "fixtures: safetensors files of inputs and reference values")
    if files.isEmpty { options.refuse("FILE is missing") }
    options.finish()

    let backend = try Device.cpu.makeBackend(threads: threads, for: products)
    let precision = ModelPrecision(products: products, activations: activations)
    print("\(precision) on \(backend.summary)")
    var failures = 0
    for file in files {
        print("\n\(file)")
        do {
            let fixture = try MathsFixture(path: file)
            print("  \(describe(fixture))")
            let comparison = try MathsComparison(fixture, precision: precision, backend: backend)
            for group in comparison.groups { print("  " + describe(group)) }
            if !comparison.isWithin { failures += 1 }
        } catch {
            print("  not compared: \(error)")
            failures += 1
        }
    }
    guard failures == 0 else { throw Failure("\(failures) of \(files.count) files are beyond tolerance or could not be compared") }
}

private func describe(_ fixture: MathsFixture) -> String {
    let encoder = fixture.recipe.value.encoder
    return
        "\(fixture.recipe.name), encoder \(encoder.width)-\(encoder.depth)-\(encoder.heads), images of \(encoder.imageSize), patches of \(encoder.patchSize)"
}

private func describe(_ group: MathsComparison.Group) -> String {
    let verdict = group.tolerance.map { (group.isWithin ? "within " : "BEYOND ") + String($0) } ?? "not judged"
    let worst = group.worst
    return group.name.padding(toLength: 20, withPad: " ", startingAt: 0) + String(format: "%.1e  ", worst.error)
        + verdict.padding(toLength: 14, withPad: " ", startingAt: 0) + "  \(worst.name)"
        + (group.omittedCount > 0 ? "  (\(group.omittedCount) values of rounding noise left out)" : "")
}
