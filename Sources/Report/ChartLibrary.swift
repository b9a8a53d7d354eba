import Base
import Files
import Foundation

/// dygraphs, which draws the charts: read from where Debian's package `libjs-dygraphs` puts it.
///
/// It shows values, zooms, and has logarithmic axes in 130 kB; Chart.js of the same Debian zooms by a plugin that Debian does not have.
struct ChartLibrary {
    let script: String
    let style: String
    /// For the page's foot.
    static let credit = "dygraphs, © Dan Vanderkam and others, MIT licence"
    private static let folder = "/usr/share/javascript/dygraphs"

    /// Throws where the package is not installed.
    init() throws(Failure) {
        func read(_ name: String) throws(Failure) -> String {
            let path = Self.folder + "/" + name
            if let obstacle = obstacleToReading(path) {
                throw Failure(
                    "\(path), which draws the charts: \(obstacle); install Debian's package libjs-dygraphs: 'make setup' does it")
            }
            let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            // The map of the sources is another file.
            return text.split(separator: "\n").filter { !$0.contains("sourceMappingURL=") }.joined(separator: "\n")
                .replacing("</script", with: "<\\/script")
        }
        script = try read("dygraph.min.js")
        style = try read("dygraph.min.css")
    }
}
