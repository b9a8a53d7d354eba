import Compute
import Training

/// The settings of one of the recipes that there are. As JSON the word `recipe`, and beside it the groups of that recipe.
public struct AnyRecipe: Equatable, Sendable {
    /// All recipes that there are, the default first.
    private static let kinds: [any RecipeSettings.Type] = [
        SiamMAE.Settings.self, MAE.Settings.self, MAEST.Settings.self, VideoMAE.Settings.self, VideoMAEV2.Settings.self,
        MGMAE.Settings.self, IBOT.Settings.self, SiameseIM.Settings.self,
    ]

    /// Their names.
    public static var names: [String] { kinds.map { $0.name } }

    /// The settings themselves.
    public var value: any RecipeSettings

    /// The published settings of the recipe of a name; nil where no recipe has it.
    public init?(named name: String) {
        guard let kind = Self.kind(name) else { return nil }
        value = kind.init()
    }

    /// The default: SiamMAE as published.
    public init() { value = Self.kinds[0].init() }

    public init(_ value: any RecipeSettings) { self.value = value }

    /// The recipe's name.
    public var name: String { type(of: value).name }

    /// The published optimization.
    public var training: TrainingSettings { type(of: value).training }

    public static func == (first: AnyRecipe, second: AnyRecipe) -> Bool { first.value.isEqual(to: second.value) }

    static func kind(_ name: String) -> (any RecipeSettings.Type)? { kinds.first { $0.name == name } }

    /// The recipe of a system's name, which may stand without the dashes.
    static func kind(ofSystem name: String) -> (any RecipeSettings.Type)? {
        kind(name) ?? kinds.first { $0.name.filter { $0 != "-" } == name }
    }

    /// The recipe with first values that a seed alone decides.
    public func makeRecipe(seed: UInt64, precision: ModelPrecision, backend: any Backend) -> any Recipe {
        let recipe = value.makeRecipe(precision: precision, backend: backend)
        recipe.parameters.initialize(seed: seed)
        recipe.teacher?.begin()
        return recipe
    }

    /// Numbers that the model learns, and how many of them are the encoder's; nothing is allocated.
    public var parameterCounts: (all: Int, encoder: Int) {
        let recipe = value.makeRecipe(precision: .f32, backend: PlanningBackend())
        return (recipe.parameters.count, recipe.encoder.parameterCount)
    }

    /// Floating-point operations of one training step with one sample: of the products of matrices in its forward and backward pass.
    public var operationsPerSample: Double {
        StepForecast(value.makeRecipe(precision: .f32, backend: PlanningBackend()), samples: 1, recomputes: false).operations
    }
}

extension RecipeSettings {
    fileprivate func isEqual(to other: any RecipeSettings) -> Bool { (other as? Self) == self }
}

extension AnyRecipe: Codable {
    private enum Keys: CodingKey { case recipe }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Keys.self)
        let name = try members.decode(String.self, forKey: .recipe)
        guard let kind = Self.kind(name) else {
            throw DecodingError.dataCorruptedError(forKey: .recipe, in: members, debugDescription: "there is no recipe '\(name)'")
        }
        value = try kind.init(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Keys.self)
        try members.encode(name, forKey: .recipe)
        try value.encode(to: encoder)
    }
}
