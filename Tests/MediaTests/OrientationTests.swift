import Media
import Sampling
import Testing

@Suite struct OrientationTests {
    /// The eight ways to lay a picture: a display matrix [a, b, c, d] that maps stored (p, q) to shown (a p + c q, b p + d q).
    static let matrices = [
        [1, 0, 0, 1], [0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0], [-1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, -1, -1, 0],
    ]

    /// Too narrow a picture for the planar kernel, 30 pixels, goes through swscale.
    @Test("display matrices are obeyed, and pixels made square", arguments: matrices, [(192, 1, 1), (30, 1, 1), (192, 4, 3), (30, 3, 1)])
    func turns(matrix: [Int], shape: (width: Int, across: Int, down: Int)) throws {
        try withTemporaryFolder { folder in
            let (a, b, c, d) = (matrix[0], matrix[1], matrix[2], matrix[3])
            let one = 1 << 16
            try RampClip.write(
                folder + "/a.mp4", width: shape.width, matrix: [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30].map { Int32($0) },
                aspect: (Int32(shape.across), Int32(shape.down)))
            let record = try VideoRecord(inspecting: "a.mp4", in: folder)
            let (width, height) = (shape.width * shape.across / shape.down, RampClip.height)
            #expect((record.width, record.height) == (a == 0 ? (height, width) : (width, height)))

            let box = CropBox(x: 6, y: 4, width: record.width - 16, height: record.height - 20)
            let pixels = try readCrop(folder + "/a.mp4", box, size: 40)
            let difference = RampClip.worst(pixels, size: 40) { x, y in
                // Measured from the middle of both pictures the matrix is orthogonal: its transpose leads back.
                let right = Double(box.x) + x * Double(box.width) - Double(record.width) / 2
                let down = Double(box.y) + y * Double(box.height) - Double(record.height) / 2
                let p = (Double(a) * right + Double(b) * down) * Double(shape.down) / Double(shape.across) + Double(shape.width) / 2
                let q = Double(c) * right + Double(d) * down + Double(height) / 2
                return (RampClip.red(p - 0.5), RampClip.green(q - 0.5))
            }
            // swscale begins at whole pixels of the stored picture: half a pixel of a ramp by 1.25 levels.
            #expect(difference < (shape.width == 30 ? 3.2 : 2.5))
        }
    }
}
