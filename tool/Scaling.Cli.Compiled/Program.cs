// dotnet scaling: the entrance of the compiled program.
using Scaling.Cli;

if (args is not [CompiledTool.Verb, _, _, _, _, ..])
{
    Console.Error.WriteLine("This is a part of dotnet scaling, which starts it. Type 'dotnet scaling'.");
    return 2;
}

return await Commands.Invoke(CompiledTool.Begin(args[1..])).ConfigureAwait(false);
