import Classification
import Foundation

/// What classification by frozen features comes to.
struct ClassificationReport {
    typealias Example = ClassificationDataset.Example

    let classes: [String]
    /// The examples that are judged, and those learnt from.
    let validation: [Example]
    let trainingCount: Int
    /// Classifiers and the classes that they give the judged examples.
    let predictions: [(classifier: String, Predictions)]
    /// Examples that gave no features, and why.
    let unreadable: [(name: String, reason: String)]
    let seconds: Double

    /// The file of the predictions.
    static let predictionsName = "predictions.csv"

    /// "k-NN 45.0, linear 51.3"
    var headline: String { predictions.map { String(format: "\($0) %.1f", accuracy($1, top: 1)) }.joined(separator: ", ") }

    var table: ReportTable {
        var table = ReportTable(columns: ["classifier", "examples", "top-1", "top-5"])
        for (classifier, found) in predictions {
            table.add([.text(classifier), .count(validation.count), .points(accuracy(found, top: 1)), .points(accuracy(found, top: 5))])
        }
        return table
    }

    func json(settings: [String: String]) throws -> String {
        let scores = predictions.flatMap { classifier, found in
            [1, 5].map { ("\(classifier == "k-NN" ? "knn" : classifier)_top\($0)", accuracy(found, top: $0)) }
        }
        let document: JSONValue = [
            "benchmark": .text(ClassificationOptions.dataset), "settings": .texts(settings),
            "scores": .numbers(Dictionary(uniqueKeysWithValues: scores)), "classes": .list(classes.map { .text($0) }),
            "train_examples": .count(trainingCount), "val_examples": .count(validation.count),
            "unreadable": .object(Dictionary(unreadable.map { ($0.name, .text($0.reason)) }) { $1 }), "seconds": .number(seconds),
        ]
        return try document.document()
    }

    /// Writes scores.csv, scores.json, and for each example the classes that it has and was given.
    func write(to folder: String, settings: [String: String]) throws {
        try replaceFile(folder + "/scores.csv", with: table.csv)
        try replaceFile(folder + "/scores.json", with: try json(settings: settings) + "\n")
        let rows = validation.enumerated().map { number, example in
            [example.name, classes[example.label]] + predictions.map { classes[$1.ranked[number][0]] }
        }
        try replaceFile(folder + "/" + Self.predictionsName, with: csv([["example", "class"] + predictions.map(\.classifier)] + rows))
    }

    private func accuracy(_ found: Predictions, top: Int) -> Double { 100 * found.accuracy(top: top, labels: validation.map(\.label)) }
}
