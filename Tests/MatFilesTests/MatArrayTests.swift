import Foundation
import MatFiles
import TestSupport
import Testing

struct MatArrayTests {
    private static let folder = Shared.folder.map { $0 + "/data/jhmdb" }

    /// MATLAB's own files: one variable after another, compressed and not. First numbers as SciPy's loadmat reads them.
    @Test(
        .enabled(if: folder != nil, "TANDEM_SHARED is not there"),
        arguments: ["joint_positions", "joint_positions_uncompressed"])
    func arraysOfMATLAB(_ kind: String) throws {
        let path = "\(Self.folder!)/\(kind)/catch/Goal_Keeping_Tips_catch_f_cm_np1_fr_med_2/joint_positions.mat"
        let array = try MatArray("pos_img", of: path)
        #expect(array.dimensions == [2, 15, 40])
        #expect(array.values[..<4].elementsEqual([286.5, 106.5, 289.5, 128.5]))
        #expect(abs(array.values.reduce(0, +) - 192261.9356172549) < 1e-6)
    }
}
