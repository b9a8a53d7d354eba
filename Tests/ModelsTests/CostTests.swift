import Compute
import Models
import Testing

struct CostTests {
    @Test(arguments: SiamMAE.EncoderKind.allCases, SiamMAE.DecoderKind.allCases)
    func parametersAreCountedAsTheModelHasThem(encoder: SiamMAE.EncoderKind, decoder: SiamMAE.DecoderKind) throws {
        let configuration = SiamMAE.Configuration(
            encoder: EncoderConfiguration(imageSize: 24, patchSize: 8, width: 20, depth: 3, heads: 4),
            decoder: SiamMAE.DecoderConfiguration(width: 12, depth: 2, heads: 3), encoderKind: encoder, decoderKind: decoder)
        let model = SiamMAE(configuration, seed: 1, backend: PlanningBackend())
        #expect(configuration.encoderParameterCount + configuration.decoderParameterCount == model.parameters.count)
    }

    /// GMAC of a pair's forward pass, counted by hand: ViT-S/16 with MAE's decoder and with CropMAE's, and ViT-S/8 with MAE's.
    @Test(arguments: [
        ("s16", SiamMAE.DecoderConfiguration.mae, 9, 12.18), ("s16", .small, 9, 5.859), ("s8", .mae, 39, 59.95),
    ])
    func workIsAsCountedByHand(preset: String, decoder: SiamMAE.DecoderConfiguration, visible: Int, expected: Double) throws {
        let configuration = SiamMAE.Configuration(encoder: try #require(EncoderConfiguration(preset: preset)), decoder: decoder)
        let work = configuration.stepOperations(past: configuration.encoder.patchCount, future: visible) / 6e9
        #expect(abs(work / expected - 1) < 1e-3, "\(work) GMAC")
    }
}
