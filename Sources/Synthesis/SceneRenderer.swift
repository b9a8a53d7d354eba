import Foundation

/// Draws the frames of one scene. Holds scratch memory: one renderer per thread.
public struct SceneRenderer {
    public let scene: Scene
    private var coverages: [Coverage]
    /// The row that is being drawn, 0x00BBGGRR.
    private var row: [UInt32]

    public init(_ scene: Scene) {
        self.scene = scene
        coverages = scene.objects.map { _ in Coverage(width: scene.width, height: scene.height) }
        row = Array(repeating: 0, count: scene.width)
    }

    /// Draws one frame.
    ///
    /// - Parameters:
    ///   - frame: any number; time runs at ``Scene/frameRate``.
    ///   - pixels: receives [height, width, 3] bytes, RGB.
    ///   - mask: receives [height, width] bytes, the id of the frontmost object that covers at least half of the pixel, 0 for background.
    ///   - parts: receives [height, width] bytes, the class of the part of that object that lies at the pixel, 0 for background.
    public mutating func render(
        frame: Int, into pixels: UnsafeMutablePointer<UInt8>, mask: UnsafeMutablePointer<UInt8>? = nil,
        parts: UnsafeMutablePointer<UInt8>? = nil
    ) {
        let (width, height) = (scene.width, scene.height)
        let time = Double(frame) / Double(Scene.frameRate)
        func sampler(_ texture: Texture, _ motion: Motion) -> (Affine, TextureSampler) {
            let toPicture = scene.placement(motion, time: time)
            return (toPicture, TextureSampler(texture, toTexture: toPicture.inverse))
        }
        let ground = sampler(scene.background, scene.backgroundMotion).1
        var samplers: [TextureSampler] = []
        var toObject: [Affine] = []
        for (number, body) in scene.objects.enumerated() {
            let (toPicture, sampler) = sampler(body.texture, body.motion)
            coverages[number].trace(body.outline.vertices(time).map { toPicture($0.x, $0.y) })
            samplers.append(sampler)
            toObject.append(toPicture.inverse)
        }
        let lighting = Lighting(scene.light, time: time, width: width, height: height)

        row.withUnsafeMutableBufferPointer { row in
            for y in 0..<height {
                ground.draw(row: row, y: y)
                if let mask { (mask + y * width).update(repeating: 0, count: width) }
                if let parts { (parts + y * width).update(repeating: 0, count: width) }
                for number in samplers.indices where coverages[number].rows.contains(y) {
                    coverages[number].fill(row: y)
                    let columns = coverages[number].filled
                    coverages[number].row.withUnsafeBufferPointer { coverage in
                        samplers[number].blend(row: row, y: y, columns: columns, coverage: coverage)
                        if let mask { for x in columns where coverage[x] >= 128 { mask[y * width + x] = UInt8(number + 1) } }
                        guard let parts else { return }
                        for x in columns where coverage[x] >= 128 {
                            let (u, v) = toObject[number](Double(x) + 0.5, Double(y) + 0.5)
                            parts[y * width + x] = Scene.part(ofObject: number + 1, u, v)
                        }
                    }
                }
                lighting.apply(to: row, y: y, into: pixels + y * width * 3)
            }
        }
    }
}
