// What a worker wrote of a stage's declaration, read without a serializer: every command reads those of every stage that its pipeline uses.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>Reads what <see cref="StageDescriptor.Json"/> writes.</summary>
internal static class DescriptorReader
{
    /// <summary>A descriptor.</summary>
    /// <param name="of">Its JSON.</param>
    /// <exception cref="JsonException">It is none.</exception>
    public static StageDescriptor Read(JsonElement of) => new(
        Declaration(of.ObjectOrNone("declaration") ?? throw new JsonException("a descriptor has no 'declaration'")),
        JsonObject.Create((of.ObjectOrNone("settings") ?? throw new JsonException("a descriptor has no 'settings'")).Clone())!,
        (int)of.Whole("contract_revision"));

    private static StageDeclaration Declaration(JsonElement of) => new()
    {
        Type = of.Text("type"),
        Summary = of.Text("summary"),
        Example = of.TextOrNone("example") ?? "",
        Inputs = of.List("inputs", i => new InputRole(i.Text("name"), i.Text("kind"), Cardinality(i)) { Feedback = i.Flag("feedback") }),
        Outputs = of.List("outputs", Output),
        FanOut = of.ObjectOrNone("fan_out") is { } fanOut ? FanOut(fanOut) : null,
        Prepare = of.ObjectOrNone("prepare") is { } prepare ? new PrepareAction(prepare.List("reads", JsonFields.Word), prepare.List("outputs", JsonFields.Word)) : null,
        Determinism = Determinism(of),
        Exclusive = of.Flag("exclusive"),
        Enumerating = of.Flag("enumerating"),
        UsesPipelineSeed = of.Flag("uses_pipeline_seed"),
        Patience = TimeSpan.Parse(of.Text("patience"), CultureInfo.InvariantCulture),
    };

    private static OutputFile Output(JsonElement of) => new(of.Text("name"), of.Text("kind"))
    {
        Columns = of.List("columns", c => new Column(c.Text("name"), c.Text("unit"), c.Text("meaning"))), Volatile = of.Flag("volatile"), Optional = of.Flag("optional"),
    };

    private static FanOut FanOut(JsonElement of) => new(of.Text("role"), of.List("reads", JsonFields.Word), of.List("point", JsonFields.Word))
    {
        Optional = of.ObjectOrNone("optional") is { } optional ? optional.EnumerateObject().ToDictionary(p => p.Name, p => JsonFields.Word(p.Value)) : [],
        Mode = Mode(of),
        Across = of.TextOrNone("across"),
    };

    private static Cardinality Cardinality(JsonElement of) => of.TextOrNone("cardinality") switch
    {
        null or "one" => Sdk.Cardinality.One, "optional" => Sdk.Cardinality.Optional, "many" => Sdk.Cardinality.Many, var word => throw Unknown("cardinality", word),
    };

    private static Determinism Determinism(JsonElement of) => of.TextOrNone("determinism") switch
    {
        null or "exact" => Sdk.Determinism.Exact, "statistical" => Sdk.Determinism.Statistical, "never" => Sdk.Determinism.Never, var word => throw Unknown("determinism", word),
    };

    private static FanOutMode Mode(JsonElement of) => of.TextOrNone("mode") switch
    {
        null or "per_row" => FanOutMode.PerRow, "batch" => FanOutMode.Batch, var word => throw Unknown("mode", word),
    };

    private static JsonException Unknown(string name, string word) => new($"'{name}' is '{word}'");
}
