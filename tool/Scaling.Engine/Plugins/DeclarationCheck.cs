// What a plugin says of itself must hold together before anything is planned from it, or written where it says.
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>Finds contradictions in what stages declare.</summary>
public static class DeclarationCheck
{
    /// <summary>Refuses stages whose declarations contradict themselves or name files outside a stage's folder.</summary>
    /// <param name="stages">As described.</param>
    /// <param name="assembly">Whose they are.</param>
    /// <exception cref="StageFailedException">SCAL6010, one finding a contradiction.</exception>
    public static void Demand(IEnumerable<StageDescriptor> stages, string assembly)
    {
        Diagnostic[] findings =
        [
            .. stages.SelectMany(s => s.Declaration.Contradictions()
                .Select(wrong => new Diagnostic("SCAL6010", $"{Path.GetFileName(assembly)} declares a stage '{s.Declaration.Type}' {wrong}.") { Hint = "This is a defect of the stage." })),
        ];
        if (findings.Length > 0)
        {
            throw new StageFailedException(findings);
        }
    }
}
