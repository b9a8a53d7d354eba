/// Reads a texture along the rows of a picture through an affine map, bilinearly, in fixed point.
struct TextureSampler {
    private let texture: Texture
    /// Texture coordinates of the centre of pixel (0, 0) and their steps, 16 fractional bits.
    private let origin: (u: Int, v: Int)
    private let stepX: (u: Int, v: Int)
    private let stepY: (u: Int, v: Int)

    /// - Parameters:
    ///   - toTexture: from pixels to texels.
    init(_ texture: Texture, toTexture map: Affine) {
        func fixed(_ value: Double) -> Int { Int((value * 65536).rounded()) }
        self.texture = texture
        let corner = map(0.5, 0.5)
        origin = (fixed(corner.x), fixed(corner.y))
        stepX = (fixed(map.xx), fixed(map.yx))
        stepY = (fixed(map.xy), fixed(map.yy))
    }

    /// Writes the whole row.
    func draw(row: UnsafeMutableBufferPointer<UInt32>, y: Int) {
        texture.texels.withUnsafeBufferPointer { texels in
            var u = origin.u + y * stepY.u
            var v = origin.v + y * stepY.v
            for x in row.indices {
                row[x] = packed(sample(texels, u, v))
                u += stepX.u
                v += stepX.v
            }
        }
    }

    /// Mixes the texture into some columns of a row, by coverage (256: all).
    func blend(row: UnsafeMutableBufferPointer<UInt32>, y: Int, columns: Range<Int>, coverage: UnsafeBufferPointer<UInt16>) {
        texture.texels.withUnsafeBufferPointer { texels in
            var u = origin.u + y * stepY.u + columns.lowerBound * stepX.u
            var v = origin.v + y * stepY.v + columns.lowerBound * stepX.v
            for x in columns {
                let color = sample(texels, u, v)
                row[x] = packed(lerp(spread(row[x]), color, UInt64(coverage[x])))
                u += stepX.u
                v += stepX.v
            }
        }
    }

    /// The interpolated colour at texture coordinates, spread to 16 bits a channel.
    @inline(__always)
    private func sample(_ texels: UnsafeBufferPointer<UInt32>, _ u: Int, _ v: Int) -> UInt64 {
        let wrap = (1 << texture.logSide) - 1
        let left = (u >> 16) & wrap
        let right = (left + 1) & wrap
        let above = ((v >> 16) & wrap) << texture.logSide
        let below = (((v >> 16) + 1) & wrap) << texture.logSide
        let shareX = UInt64((u >> 8) & 255)
        let shareY = UInt64((v >> 8) & 255)
        let top = lerp(spread(texels[above + left]), spread(texels[above + right]), shareX)
        let bottom = lerp(spread(texels[below + left]), spread(texels[below + right]), shareX)
        return lerp(top, bottom, shareY)
    }
}

/// 0x00BBGGRR with each channel in a 16-bit lane of its own: three channels are mixed by one multiplication.
@inline(__always)
private func spread(_ color: UInt32) -> UInt64 {
    let wide = UInt64(color)
    return (wide & 0x00FF_00FF) | (wide & 0xFF00) << 24
}

@inline(__always)
private func packed(_ lanes: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (lanes & 0x00FF_00FF) | (lanes >> 24) & 0xFF00)
}

/// a + (b - a) · share / 256 in each lane.
@inline(__always)
private func lerp(_ a: UInt64, _ b: UInt64, _ share: UInt64) -> UInt64 {
    ((a &* (256 - share) &+ b &* share) >> 8) & 0x00FF_00FF_00FF
}
