// The reader without a serializer reads all that the serializer writes.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Plugins;

public sealed class DescriptorReaderTests
{
    [Fact]
    public void Everything_that_a_stage_may_declare_is_read_as_it_was_written()
    {
        var full = new StageDescriptor(
            new StageDeclaration
            {
                Type = "full",
                Summary = "Declares everything, \"quoted\" and naïve.",
                Inputs = [new InputRole("rows", "rows"), new InputRole("more", "rows", Cardinality.Many), new InputRole("law", "law", Cardinality.Optional) { Feedback = true }],
                Outputs = [new OutputFile("a.csv", "a") { Columns = [new Column("loss", "nats", "Loss.")] }, new OutputFile("b.json", "b") { Volatile = true, Optional = true }],
                FanOut = new FanOut("rows", ["x", "y"], ["x"]) { Mode = FanOutMode.Batch, Across = "factors", Optional = new Dictionary<string, string> { ["z"] = "0" } },
                Prepare = new PrepareAction(["corpus"], ["tokens.bin"]),
                Determinism = Determinism.Statistical,
                Exclusive = true,
                Enumerating = true,
                UsesPipelineSeed = true,
                Patience = TimeSpan.FromDays(1.5),
            },
            new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["a"] = new JsonObject { ["default"] = 1 } } },
            ContractRevision: 1);
        var bare = new StageDescriptor(new StageDeclaration { Type = "bare", Summary = "", Outputs = [] }, [], 7);
        foreach (var descriptor in new[] { full, bare })
        {
            string written = JsonSerializer.Serialize(descriptor, StageDescriptor.Json);
            using var document = JsonDocument.Parse(written);

            Assert.Equal(written, JsonSerializer.Serialize(DescriptorReader.Read(document.RootElement), StageDescriptor.Json));
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"declaration":{"type":1},"settings":{}}""")]
    [InlineData("""{"declaration":{"type":"t","summary":"s","outputs":[1],"patience":"0:1:0"},"settings":{}}""")]
    [InlineData("""{"declaration":{"type":"t","summary":"s","determinism":"often","patience":"0:1:0"},"settings":{}}""")]
    public void What_is_no_descriptor_is_said_to_be_none(string json)
    {
        using var document = JsonDocument.Parse(json);

        Assert.Throws<JsonException>(() => DescriptorReader.Read(document.RootElement));
    }
}
