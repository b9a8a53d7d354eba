import Foundation
import MatFiles
import Propagation
import TestSupport
import Testing

/// Against CropMAE's own functions (`golden/jhmdb`), and by hand.
struct JointTests {
    private static let folder = Shared.folder.map { $0 + "/golden/jhmdb" }
    private static let count = Pose.jointNames.count

    private static func golden<Golden: Decodable>(_ name: String) throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: folder! + "/" + name)))
    }

    private struct HeatMaps: Decodable {
        struct HeatMap: Decodable {
            let point: [Double]
            let sigma: Double
            let size: [Int]
            let cells: [[Double]]

            enum CodingKeys: String, CodingKey {
                case sigma, size
                case point = "pt"
                case cells = "nonzero_yxv"
            }
        }
        struct Decoding: Decodable {
            /// Height, width, channels.
            let shape: [Int]
            let cells: [[Float]]
            let points: [[Double]]

            enum CodingKeys: String, CodingKey {
                case shape = "pred_hwc"
                case cells = "pred"
                case points = "coords_top5"
            }
        }
        let maps: [HeatMap]
        let decoding: Decoding

        enum CodingKeys: String, CodingKey {
            case maps = "heatmaps"
            case decoding = "process_pose"
        }
    }

    @Test(.enabled(if: folder != nil, "TANDEM_SHARED is not there")) func heatMapsEqualCropMAEs() throws {
        let golden: HeatMaps = try Self.golden("heatmap_pose.json")
        let maps = golden.maps.filter { $0.sigma == 0.5 }
        #expect(maps.count == 16)
        for map in maps {
            let (height, width) = (map.size[0], map.size[1])
            let joint = Joint(x: map.point[0], y: map.point[1])
            let labels = SoftLabels(
                heatMapsOf: [joint] + Array(repeating: nil, count: Self.count - 1), height: height, width: width)
            var expected = [Float](repeating: 0, count: height * width)
            for cell in map.cells { expected[Int(cell[0]) * width + Int(cell[1])] = Float(cell[2]) }
            for (cell, value) in expected.enumerated() {
                let found = labels.values[cell * labels.channels..<(cell + 1) * labels.channels]
                #expect(abs(found[found.startIndex + 1] - value) <= 1e-7, "a joint at \(map.point), cell \(cell)")
                #expect(found.first == (value == 0 ? 1 : 0), "background of a joint at \(map.point), cell \(cell)")
            }
        }
    }

    @Test(.enabled(if: folder != nil, "TANDEM_SHARED is not there")) func decodingEqualsCropMAEs() throws {
        let golden: HeatMaps = try Self.golden("heatmap_pose.json")
        let shape = golden.decoding.shape
        let labels = SoftLabels(height: shape[0], width: shape[1], channels: shape[2], values: golden.decoding.cells.flatMap { $0 })
        let points = golden.decoding.points
        #expect(points[0].contains(-1))
        for (joint, found) in labels.points.enumerated() {
            // CropMAE's sign of a joint that is nowhere is -1.
            #expect(abs((found?.x ?? -1) - points[0][joint]) < 1e-5 && abs((found?.y ?? -1) - points[1][joint]) < 1e-5, "joint \(joint)")
        }
    }

    private struct Accuracy: Decodable {
        struct Clip: Decodable {
            let mat: String
            let points: [[[Double]]]

            enum CodingKeys: String, CodingKey {
                case mat
                case points = "pred_xy_joint_frame"
            }
        }
        let grid: [Int]
        let image: [Int]
        let clips: [Clip]
        let values: [String: Double]

        enum CodingKeys: String, CodingKey {
            case clips
            case grid = "feat_res"
            case image = "image_wh"
            case values = "PCK"
        }
    }

    @Test(.enabled(if: folder != nil, "TANDEM_SHARED is not there")) func accuracyEqualsCropMAEs() throws {
        let golden: Accuracy = try Self.golden("pck.json")
        var accuracy = JointAccuracy()
        for clip in golden.clips {
            let truth = Pose.clip(try MatArray("pos_img", of: Self.folder! + "/" + clip.mat).values)
            let predicted = (0..<clip.points[0][0].count).map { frame in
                let points = (0..<Self.count).map { joint in
                    let (x, y) = (clip.points[0][joint][frame], clip.points[1][joint][frame])
                    return x < 0 ? nil : Joint(x: x, y: y)
                }
                return Pose(
                    points.inPixels(
                        frameHeight: golden.image[1], frameWidth: golden.image[0], gridHeight: golden.grid[1], gridWidth: golden.grid[0]))
            }
            // Clips are added up whether they come one by one or summed already.
            var own = JointAccuracy()
            own.add(predicted: predicted, truth: truth)
            accuracy.add(own)
        }
        #expect(golden.values.count == JointAccuracy.thresholds.count)
        for (index, threshold) in JointAccuracy.thresholds.enumerated() {
            #expect(abs(100 * accuracy.mean(threshold: index)! - golden.values["\(threshold)"]!) < 1e-6, "PCK@\(threshold)")
        }
    }

    /// All true joints on a line 10 pixels long: a person of size 6. Shares are then of 0.6, 1.2, 1.8, 2.4 and 3 pixels.
    @Test func accuracyByHand() {
        let truth = Pose((0..<Self.count).map { Joint(x: 50 + ($0 == 14 ? 10 : 0), y: 50) })
        func moved(_ joint: Int, _ to: Joint?) -> Pose {
            var joints = truth.joints
            joints[joint] = to
            return Pose(joints)
        }
        var accuracy = JointAccuracy()
        // The first frame does not count, however wrong.
        accuracy.add(
            predicted: [moved(0, Joint(x: 0, y: 0)), moved(0, Joint(x: 51.5, y: 50)), moved(0, nil), moved(1, Joint(x: -0.1, y: 50))],
            truth: [truth, truth, truth, truth])
        #expect((0..<5).map { accuracy.share(joint: 0, threshold: $0) } == [0.5, 0.5, 1, 1, 1])
        // Left of the picture is not found.
        #expect(accuracy.share(joint: 1, threshold: 0) == 1)
        #expect(accuracy.neverFound.isEmpty)
        #expect(abs(accuracy.mean(threshold: 0)! - 14.5 / 15) < 1e-12)
    }

    @Test func jointsThatAreNeverFoundAreLeftOut() {
        let truth = Pose((0..<Self.count).map { Joint(x: Double($0) * 10, y: 50) })
        var joints = truth.joints
        joints[3] = nil
        var accuracy = JointAccuracy()
        #expect(accuracy.mean(threshold: 0) == nil)
        accuracy.add(predicted: [truth, Pose(joints)], truth: [truth, truth])
        #expect(accuracy.neverFound == ["right shoulder"])
        #expect(accuracy.share(joint: 3, threshold: 0) == nil && accuracy.mean(threshold: 0) == 1)
    }

    /// Pixels are counted from 1 in JHMDB's files, and x stands in front of y, joint after joint.
    @Test func posesInJHMDBsLayout() {
        var positions = [Double](repeating: 5, count: 2 * Self.count * 2)
        (positions[2], positions[3]) = (11, 21)
        (positions[2 * Self.count], positions[2 * Self.count + 1]) = (.nan, .nan)
        let clip = Pose.clip(positions)
        #expect(clip.count == 2)
        #expect(clip[0].joints[0] == Joint(x: 4, y: 4) && clip[0].joints[1] == Joint(x: 10, y: 20) && clip[1].joints[0] == nil)
        #expect(zip(Pose.positions(of: clip), positions).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
    }
}
