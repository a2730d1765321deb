// Whether a plugin was built for the contract that this tool has, read from metadata before anything of it is loaded.
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>
/// The version of the contract's assembly is <c>REVISION.ADDITIONS</c>: its major is <see cref="Contract.Revision"/>, its minor counts what was added within a revision. A plugin refers to the version that it
/// was built against.
/// </summary>
internal static class ContractCheck
{
    private static readonly Version Ours = typeof(IStage).Assembly.GetName().Version!;

    /// <summary>Refuses a plugin that this tool cannot serve, and says which of the two to update.</summary>
    /// <param name="assembly">Path of its main assembly.</param>
    /// <exception cref="StageFailedException">SCAL6014.</exception>
    public static void Demand(string assembly)
    {
        if (Theirs(assembly) is not { } theirs)
        {
            return; // It may still hold no stage, which is found where it is loaded.
        }

        string name = Path.GetFileNameWithoutExtension(assembly);
        if (theirs.Major < Ours.Major)
        {
            throw new StageFailedException(
                "SCAL6014", $"{name} was built against revision {theirs.Major} of the stage contract, and this tool has revision {Ours.Major}.",
                $"Update the plugin: take a version of it that was built against Scaling.Sdk with revision {Ours.Major}, or build it anew.");
        }

        if (theirs.Major > Ours.Major || theirs.Minor > Ours.Minor)
        {
            throw new StageFailedException(
                "SCAL6014", $"{name} was built against the stage contract {theirs.Major}.{theirs.Minor}, and this tool has {Ours.Major}.{Ours.Minor}.",
                "Update the tool: 'dotnet tool update dotnet-scaling'; or take an earlier version of the plugin.");
        }
    }

    private static Version? Theirs(string assembly)
    {
        try
        {
            using var stream = File.OpenRead(assembly);
            using var image = new PEReader(stream);
            if (!image.HasMetadata)
            {
                return null;
            }

            var metadata = image.GetMetadataReader();
            string contract = typeof(IStage).Assembly.GetName().Name!;
            return metadata.AssemblyReferences.Select(metadata.GetAssemblyReference).Where(r => metadata.GetString(r.Name) == contract).Select(r => r.Version).FirstOrDefault();
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }
}
